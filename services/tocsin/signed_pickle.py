"""Signed pickle: the codec for values of any picklable type, for those who ask for it by name.

    encode: value ─ pickle ─▶ payload ─▶ b"p" + HMAC-SHA256(key, payload) + payload
    decode: b"p" + signature + payload ─ compare in constant time ─▶ unpickle, or `Unreadable`

Unpickling runs code that the bytes choose, so whoever can write to Redis would own every worker. Here nothing is
unpickled before its signature is known to be one of ours. What always holds: there is no key by default; the first
key signs, every key verifies, so that a key can be rotated: put the new one first, drop the old one when what it
signed has expired. What a signature does not prove: that the value belongs to the key under which it lies, or is the
newest; whoever can write to Redis can still move our own values about.
"""

import hashlib
import hmac
import pickle  # nothing is unpickled that this module has not signed
from collections.abc import Sequence
from typing import Any

from tocsin.codec import Unreadable, Unstorable
from tocsin.errors import SettingsError

KEY_BYTES_MIN = 32
_MARK = b"p"
_SIGNATURE_BYTES = hashlib.sha256().digest_size
_PURPOSE = b"tocsin signed pickle 1\n"  # a key that also signs other things can't be made to sign pickles through them


class Unpicklable(Unstorable, pickle.PicklingError):
    """Pickle can't hold this value; caught by those who expect cachelib's own error, too."""


class SignedPickleCodec:
    """Holds whatever pickle does, signed with the first of `keys`.

    Raises `SettingsError` without a key, or with one shorter than 32 bytes: `secrets.token_bytes(32)` makes one.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if isinstance(keys, bytes | str) or not keys or any(not isinstance(key, bytes) for key in keys):
            raise SettingsError("the signed codec needs a list of keys, each of them bytes: secrets.token_bytes(32)")
        if min(map(len, keys)) < KEY_BYTES_MIN:
            raise SettingsError(
                f"a signing key has {min(map(len, keys))} bytes: at least {KEY_BYTES_MIN} random ones are needed,"
                " such as secrets.token_bytes(32) gives"
            )
        self._keys = tuple(keys)

    def encode(self, value: object) -> bytes:
        """Return `value` pickled and signed; raise `Unpicklable` for what pickle can't hold."""
        try:
            payload = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except (pickle.PickleError, TypeError, AttributeError, RecursionError) as error:
            raise Unpicklable(f"pickle can't hold this {type(value).__qualname__}: {error}") from error
        return _MARK + _signature(self._keys[0], payload) + payload

    def decode(self, packed: bytes) -> Any:
        """Return the value, if one of the keys signed it; raise `Unreadable`."""
        signature, payload = packed[1 : 1 + _SIGNATURE_BYTES], packed[1 + _SIGNATURE_BYTES :]
        if packed[:1] != _MARK or not any(
            hmac.compare_digest(signature, _signature(key, payload)) for key in self._keys
        ):
            raise Unreadable("the value carries no signature of the configured keys, and was not unpickled")
        try:
            return pickle.loads(payload)  # noqa: S301  # signed by us, see above
        except Exception as error:  # the class may be gone or changed since it was pickled, and may raise anything
            raise Unreadable(f"a value that was signed here can't be unpickled any more: {error!r}") from error


def _signature(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + payload, hashlib.sha256)

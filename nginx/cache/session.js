/*
 * Session: the signed watermark of a client, the position up to which it has seen (PROTOCOL "Watermark").
 *
 *     Cookie: tocsin-watermark=<epoch>-<sequence>.<mac>     or pending-<number>.<mac>: a write that nobody was told of yet
 *
 * A client that presents one is not answered with less, and gets it raised by what it is answered with; one that presents
 * none gets none here (a write's reply brings the first, from the node). What always holds: a watermark that the cluster
 * did not sign is as good as none. The nodes have the same in services/catalog/web/watermark.py; docs/contract.md is what
 * both are written from.
 */

import crypto from 'crypto';

const NAME = 'tocsin-watermark';
const VALUE = /^([0-9a-f]{16})-([0-9]{1,15})$/;
const PENDING = /^pending-[0-9]{1,15}$/;
// What an answer says that carries somebody's cookie, in the place of `public`: with it, it is nobody else's.
const CACHE_CONTROL = 'private, max-age=0, must-revalidate';
const ATTRIBUTES = '; Path=/; HttpOnly; SameSite=Lax';

function signed(text, secret) {
    return text + '.' + crypto.createHmac('sha256', secret).update(NAME + '=' + text).digest('base64url');
}

/* The watermark that a request presents: {text, epoch, sequence}, {text, pending}; undefined for none that is ours. */
function presented(r) {
    const cookie = r.headersIn.Cookie;
    const secret = r.variables.edge_secret;
    if (cookie === undefined || secret === '' || cookie.indexOf(NAME) < 0) {
        return undefined;
    }
    const given = cookie.split(';').map((pair) => pair.trim()).filter((pair) => pair.indexOf(NAME + '=') === 0)[0];
    const value = given === undefined ? '' : given.slice(NAME.length + 1);
    const text = value.slice(0, value.lastIndexOf('.'));
    // Through the key once more, so that the time of the comparison tells nothing about how much of a forged one is right.
    if (text === '' || signed(signed(text, secret), secret) !== signed(value, secret)) {
        return undefined;
    }
    const parts = VALUE.exec(text);
    if (parts !== null) {
        return {text: text, epoch: parts[1], sequence: Number(parts[2])};
    }
    return PENDING.test(text) ? {text: text, pending: true} : undefined;
}

/* The signed watermark that raises a session's to `sequence` of `epoch`; '' if there is nothing to raise. */
function raised(seen, epoch, sequence, secret) {
    if (seen === undefined || seen.pending || seen.epoch > epoch || seen.epoch === epoch && seen.sequence >= sequence) {
        return '';
    }
    return signed(epoch + '-' + sequence, secret);
}

/* The Set-Cookie that gives a session a signed watermark. */
function line(value) {
    return NAME + '=' + value + ATTRIBUTES;
}

export default {CACHE_CONTROL, presented, raised, line};

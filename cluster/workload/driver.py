"""The driver: sends each request when it is due, records what came of it, and waits for nobody.

    arrivals ──▶ drive: sleep until the next is due ──▶ a task: record the call · send · record the end
                   │        never awaits a task                 bounded by timeout_s
                   └── more than in_flight_max waiting? not sent, counted

Times on file are the instants around the request itself, so that intervals hold no idle waiting; how late a request
left is a field of its own, and latency is counted from when it was due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from random import Random

import aiohttp

from cluster.errors import ClusterError
from cluster.history.line import Fail, Info, Invocation, Ok
from cluster.history.operation import NO_VERSION, Outcome, Phase
from cluster.history.recorder import Recorder
from cluster.workload.arrival import Arrival, Wish
from cluster.workload.client import Client, Clients
from cluster.workload.outcome import outcome_of_error
from cluster.workload.profile import Profile
from cluster.workload.reply import Reply, reply_of
from cluster.workload.request import EDGE, Request
from cluster.workload.shop import Shop
from cluster.workload.tally import Tally

NS = 1_000_000_000
READERS = 16
"""How many reads of `read_all` wait for an answer at once."""
USERS = ("ada", "bela", "chloe", "dario", "emma", "farid", "grace", "hugo")
_COMPLETIONS: dict[Outcome, type[Ok | Fail | Info]] = {Outcome.OK: Ok, Outcome.FAIL: Fail, Outcome.INFO: Info}


class Driver:
    """Sends traffic to one cluster, within one event loop; use it as an asynchronous context.

    `phase` is written into each invocation; whoever injects faults sets it. `run_tag` (8 hexadecimal digits, different
    in every run) begins each operation id: a cluster remembers the ids that it has seen.
    """

    def __init__(self, shop: Shop, profile: Profile, recorder: Recorder, *, chance: Random, run_tag: str) -> None:
        """`chance` decides prices; the arrivals have their own."""
        assert len(run_tag) == 8, "an operation id has 16 digits, half of them the run's"
        self.phase = Phase.WARM
        self.tally = Tally()
        self.acknowledged: set[str] = set()
        """Operation ids of the writes that were acknowledged: what the database must have."""
        self._shop = shop
        self._profile = profile
        self._recorder = recorder
        self._chance = chance
        self._run_tag = run_tag
        self._known: dict[str, int] = {}
        """Key → the highest version that was acknowledged, for the live count of stale reads."""
        self._clients = Clients()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Driver:
        """Open the connections' pool. Cookies are each client's own; limits are the profile's."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._profile.timeout_s),
            auto_decompress=False,
            headers={"User-Agent": "tocsin"},
            skip_auto_headers=("Accept-Encoding",),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what still waits, and close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()

    async def greet(self) -> None:
        """Let the first people in; every other one signs in, where one can. Raises ClusterError if that fails."""
        for number in range(self._profile.sessions):
            client = self._clients.newcomer()
            if number % 2 == 0 and self._shop.sign_in:
                await self._sign_in(client, USERS[number // 2 % len(USERS)])
            self._clients.done(client)

    async def drive(self, arrivals: Iterable[Arrival], *, for_s: float, stop: asyncio.Event) -> None:
        """Send what arrives within `for_s` seconds from now, or until `stop`. Returns without awaiting the answers."""
        loop = asyncio.get_running_loop()
        start, start_ns = loop.time(), time.monotonic_ns()
        for arrival in arrivals:
            if arrival.at_s >= for_s or stop.is_set():
                break
            # Also where nothing is to be waited for: what is in flight gets its turn before the next is sent.
            await asyncio.sleep(max(0.0, start + arrival.at_s - loop.time()))
            if len(self._tasks) >= self._profile.in_flight_max:
                self.tally.unsent += 1
                continue
            self._spawn(arrival, start_ns + round(arrival.at_s * NS))
        await asyncio.sleep(0)  # so that the last one leaves, too

    async def drain(self) -> None:
        """Await the answers to all that was sent; each comes or is given up within the profile's timeout."""
        while self._tasks:
            await asyncio.wait(self._tasks, timeout=self._profile.timeout_s)

    async def read_all(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Read each (via, product), READERS at a time; the versions. What was not answered has no entry."""
        seen: dict[tuple[str, int], int] = {}

        async def read(client: Client, via: str, product: int) -> None:
            reply = await self._perform(self._shop.read(product, via, client), client)
            if reply.outcome is Outcome.OK:
                seen[via, product] = reply.value.version

        await self._by_readers(read, places)
        return seen

    async def read_shared(self, products: Iterable[int], secret: str) -> None:
        """Put on file what Redis holds of these products, as a worker says it."""

        async def read(client: Client, _: str, product: int) -> None:
            await self._perform(self._shop.shared(product, secret), client)

        await self._by_readers(read, (("", product) for product in products))

    async def _by_readers(
        self, read: Callable[[Client, str, int], Awaitable[None]], places: Iterable[tuple[str, int]]
    ) -> None:
        wanted = iter(list(places))

        async def reader(client: Client) -> None:
            for via, product in wanted:
                await read(client, via, product)

        probes = [self._clients.probe() for _ in range(READERS)]
        await asyncio.gather(*map(reader, probes))
        for probe in probes:
            self._clients.done(probe)

    def _spawn(self, arrival: Arrival, due_ns: int) -> None:
        # A task that nobody holds may be collected while it waits; the set holds it.
        task = asyncio.create_task(self._serve(arrival, due_ns))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, arrival: Arrival, due_ns: int) -> None:
        client = self._clients.probe() if arrival.worker else self._clients.person()
        reply = await self._perform(self._request(arrival, client), client, due_ns=due_ns)
        if reply.outcome is Outcome.INFO:
            self._clients.retire(client)
        else:
            self._clients.done(client)

    def _request(self, arrival: Arrival, client: Client) -> Request:
        if arrival.wish is Wish.PERSONAL:
            return self._shop.personal(client)
        product = client.own(self._profile.products, arrival.product) if arrival.own else arrival.product
        via = arrival.worker or EDGE
        if arrival.wish is Wish.LISTED:
            return self._shop.listed(product, via, client)
        if arrival.wish is Wish.CHANGE:
            operation_id = f"{self._run_tag}{self.tally.writes + 1:08x}"
            change = self._shop.change(product, via, operation_id, client, self._chance)
            if change is not None:
                self.tally.writes += 1
                return change
        return self._shop.read(product, via, client)

    async def _perform(self, request: Request, client: Client, *, due_ns: int = 0) -> Reply:
        """Send one request, with both its lines on file; never raises for what the network does."""
        began_ns = time.monotonic_ns()
        line = Invocation(
            self._recorder.index,
            began_ns,
            client.process,
            request.kind,
            request.key,
            request.via,
            self.phase,
            session=client.session,
            user="" if request.versioned else client.user,
            operation_id=request.operation_id,
            late_ns=max(0, began_ns - due_ns) if due_ns else 0,
        )
        self._recorder.write(line)
        self.tally.asked += 1
        known = self._known.get(request.key, 0)
        reply = await self._exchange(request, client)
        value = reply.value
        end = _COMPLETIONS[reply.outcome](
            self._recorder.index,
            time.monotonic_ns(),
            client.process,
            version=value.version,
            operation_id="" if request.operation_id else value.operation_id,
            digest=value.digest,
            status=reply.status,
            node=reply.node,
            worker=reply.worker,
            layer=reply.layer,
            owner=value.owner,
            error=reply.error,
            pending=reply.pending,
        )
        self._recorder.write(end)
        self._shop.ended(request, reply)
        if reply.outcome is Outcome.OK:
            self.tally.answered += 1
            if request.operation_id:
                self.acknowledged.add(request.operation_id)
                self._known[request.key] = max(value.version, self._known.get(request.key, 0))
            elif NO_VERSION < value.version < known:
                self.tally.stale += 1
        else:
            self.tally.errors[reply.error] += 1
        return reply

    async def _exchange(self, request: Request, client: Client) -> Reply:
        """The request and its answer, or what came instead of one."""
        try:
            async with (
                asyncio.timeout(self._profile.timeout_s),
                self._http.request(
                    request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
                ) as response,
            ):
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            outcome, error = outcome_of_error(request.kind, problem)
            return Reply(outcome, error=error)
        client.take_cookies(response.headers.getall("Set-Cookie", []))
        return reply_of(request, response.status, response.headers, body)

    async def _sign_in(self, client: Client, user: str) -> None:
        url = self._shop.sign_in
        try:
            async with asyncio.timeout(self._profile.timeout_s), self._http.post(url, json={"user": user}) as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise ClusterError(f"{url}: nobody can sign in ({problem or type(problem).__name__})") from None
        if response.status != 200:
            raise ClusterError(f"{url}: nobody can sign in (status {response.status})")
        client.take_cookies(response.headers.getall("Set-Cookie", []))
        client.user = user

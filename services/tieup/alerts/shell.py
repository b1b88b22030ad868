"""The delivery shell: one act, one attempt, through the channel of its endpoint."""

from collections.abc import Mapping
from datetime import datetime

from tieup.alerts.attempt import AttemptRequest, Reply, Sender, outcome
from tieup.alerts.sealing import Sealer
from tieup.alerts.watch import DeliveryWatch
from tieup.errors import DeliveryError
from tieup.log.base import Act, Clock
from tieup.model.codec import encode
from tieup.model.delivery import AttemptOutcome
from tieup.model.subscription import Channel


class DeliveryShell:
    """Sends messages. Without the master key nothing can be opened, and every attempt fails and says so."""

    def __init__(
        self,
        senders: Mapping[Channel, Sender],
        sealer: Sealer | None,
        clock: Clock,
        watch: DeliveryWatch | None = None,
    ) -> None:
        self._senders = senders
        self._sealer = sealer
        self._clock = clock
        self._watch = watch

    async def perform(self, act: Act) -> bytes:
        """Perform an AttemptRequest and return the encoded AttemptOutcome, whatever happened outside."""
        request = act.payload
        if not isinstance(request, AttemptRequest):
            raise TypeError(f"act {act.id}: the delivery shell performs attempts, not {type(request).__name__}")
        return encode(await self.attempt(request))

    async def attempt(self, request: AttemptRequest) -> AttemptOutcome:
        """Try once. Never raises for anything that the outside world does."""
        started_at = self._now()
        try:
            reply = await self._sent(request, started_at)
        except DeliveryError as error:
            reply = Reply(error=" ".join(str(error).split())[:1_000])
        found = outcome(request, reply, started_at, self._now())
        if self._watch is not None:
            self._watch.attempted(request.endpoint.channel, found)
        return found

    async def close(self) -> None:
        """Close the channels."""
        for sender in self._senders.values():
            await sender.close()

    async def _sent(self, request: AttemptRequest, at: datetime) -> Reply:
        if self._sealer is None:
            raise DeliveryError("master_key is not set: the endpoint's address cannot be opened")
        sender = self._senders.get(request.endpoint.channel)
        if sender is None:
            raise DeliveryError(f"no channel {request.endpoint.channel} here")
        return await sender.send(request, self._sealer.address(request.endpoint), at)

    def _now(self) -> datetime:
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

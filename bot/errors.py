"""One tree of errors: each knows what to tell a person, what to log, and whether to retry."""

from bot.model.run import Usage


class RatchetError(Exception):
    """`said` is for the person: what happened and what to do. `str(error)` is for the log.

    `retry` tells the caller whether the same call may succeed later; `retry_after` is the number
    of seconds the other side asked for, if it did.
    """

    kind = "internal"
    retry = False

    def __init__(self, cause: str = "", *, said: str = "", retry_after: float | None = None):
        super().__init__(cause or said or self.kind)
        self.said = said or "Something went wrong on my side. It is in the log; please try again."
        self.retry_after = retry_after


class ConfigError(RatchetError):
    """A setting is unknown or malformed; nothing was started."""

    kind = "config"


class Held(RatchetError):
    """Another process holds the same data."""

    kind = "held"


class NotFound(RatchetError):
    kind = "not_found"


class Forbidden(RatchetError):
    """The person's role may not do this."""

    kind = "forbidden"


class BadInput(RatchetError):
    """What was said can't be used as it is; `said` shows the right form."""

    kind = "bad_input"


class Conflict(RatchetError):
    """Someone else was first: the record is no longer in the state this needs."""

    kind = "conflict"


class OverBudget(RatchetError):
    """A budget would be exceeded; nothing was spent."""

    kind = "over_budget"


class Fenced(RatchetError):
    """This node lost the run to another one; whatever it still does must not be written."""

    kind = "fenced"


class StorageError(RatchetError):
    """The database could not take or give it: locked, full, unreachable."""

    kind = "storage"
    retry = True


class ModelError(RatchetError):
    """The model server failed for good: bad key, refused content, malformed request.

    `usage` is what the failed call cost all the same.
    """

    kind = "model"
    usage = Usage()


class ModelUnavailable(ModelError):
    """The model server failed for now: overloaded, timed out, cut off, garbled."""

    kind = "model_unavailable"
    retry = True


class ContextTooLong(ModelError):
    """The conversation no longer fits the model; trim it and try once more."""

    kind = "context_too_long"


class ToolError(RatchetError):
    """A tool failed; the message goes back to the model."""

    kind = "tool"


class ChannelError(RatchetError):
    """The platform refused a reply for good: gone, forbidden, malformed.

    `told` says that the owner heard of it before: the same again is only logged.
    """

    kind = "channel"
    told = False


class ChannelUnavailable(ChannelError):
    """The platform refused for now and has certainly not shown the reply."""

    kind = "channel_unavailable"
    retry = True


class DeliveryUnclear(ChannelError):
    """The platform may or may not have shown the reply: look before sending again."""

    kind = "delivery_unclear"
    retry = True

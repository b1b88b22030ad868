"""Every label's values, in the order of the label guide: where an order decides, the first that fits is taken."""

from enum import StrEnum


class Kind(StrEnum):
    """The sort of agreement; the order is the order of precedence for one inseparable agreement."""

    MERGER_ACQUISITION = "merger_acquisition"
    JOINT_VENTURE = "joint_venture"
    EQUITY_STAKE = "equity_stake"
    ASSET_SALE = "asset_sale"
    CONTRACT_MANUFACTURING = "contract_manufacturing"
    JOINT_DEVELOPMENT = "joint_development"
    LICENSING = "licensing"
    SUPPLY = "supply"
    SERVICE = "service"
    DISTRIBUTION = "distribution"
    ALLIANCE = "alliance"


class Stage(StrEnum):
    """How far the deal is."""

    TALKS = "talks"
    AGREED = "agreed"
    ACTIVE = "active"
    ENDED = "ended"


class Factuality(StrEnum):
    """How sure it is."""

    CONFIRMED = "confirmed"
    REPORTED = "reported"
    DENIED = "denied"


class Basis(StrEnum):
    """Who makes it so sure: the first four confirm (or, a party, deny), the last two report."""

    PARTY = "party"
    AUTHORITY = "authority"
    DOCUMENT = "document"
    NARRATION = "narration"
    MEDIUM = "medium"
    ANONYMOUS = "anonymous"


class Focus(StrEnum):
    """Whether the article newly reports the relation or recalls it."""

    NEWS = "news"
    BACKGROUND = "background"


class SpeakerType(StrEnum):
    """What a speaker is."""

    PARTY = "party"
    AUTHORITY = "authority"
    MEDIUM = "medium"
    ANALYST = "analyst"
    ANONYMOUS = "anonymous"


class Stance(StrEnum):
    """What a speaker says of the target."""

    ASSERTS = "asserts"
    DENIES = "denies"
    DECLINES_COMMENT = "declines_comment"


class Target(StrEnum):
    """What a claim is about."""

    EXISTENCE = "existence"
    TALKS = "talks"
    AGREEMENT = "agreement"
    TERMS = "terms"
    ENDING = "ending"


class Role(StrEnum):
    """A party's role in the deal."""

    ACQUIRER = "acquirer"
    TARGET = "target"
    INVESTOR = "investor"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    LICENSOR = "licensor"
    LICENSEE = "licensee"
    BUILDER = "builder"
    BRAND = "brand"
    PARTNER = "partner"


class Milestone(StrEnum):
    """A step of the deal that the text states."""

    MOU = "mou"
    DEFINITIVE = "definitive"
    APPROVAL_SOUGHT = "approval_sought"
    CLEARED = "cleared"
    BLOCKED = "blocked"
    CLOSED = "closed"
    PRODUCTION_START = "production_start"
    EXTENDED = "extended"
    EXPANDED = "expanded"
    REDUCED = "reduced"
    PAUSED = "paused"
    DELAYED = "delayed"
    TERMS_CHANGED = "terms_changed"


class EndedAs(StrEnum):
    """How a deal ended."""

    TALKS_FAILED = "talks_failed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    DISSOLVED = "dissolved"
    SOLD = "sold"


class FigureRole(StrEnum):
    """What a figure measures."""

    DEAL_VALUE = "deal_value"
    STAKE = "stake"
    VOLUME = "volume"
    CAPACITY = "capacity"
    YEAR = "year"


class EventType(StrEnum):
    """The type of an event: of several that apply, the first is taken."""

    CORRECTED = "story.corrected"
    ENDED = "story.ended"
    DENIED = "story.denied"
    CONFIRMED = "story.confirmed"
    STAGE_CHANGED = "story.stage_changed"
    OPENED = "story.opened"
    REVIVED = "story.revived"
    UPDATED = "story.updated"
    CORROBORATED = "story.corroborated"
    MERGED = "story.merged"


class PartyStance(StrEnum):
    """Where a party stands on the story."""

    CONFIRMS = "confirms"
    DENIES = "denies"
    DECLINES = "declines"
    SILENT = "silent"

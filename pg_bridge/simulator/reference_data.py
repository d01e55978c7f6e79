"""The pretend market: participants, stocks and which GCP clears for which NCP, generated from the seed.

Every name is put together from invented syllables; numbers and codes have the shape of real ones and may be equal to
some. What the options state besides (participants, stocks) is part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from pg_bridge.profiles.market_concepts import Currency, Market, ParticipantType

PARTICIPANTS = 600
#: how many stocks of each market; of Hong Kong's some are further counters of another
STOCKS = {Market.HONG_KONG: 2000, Market.SHANGHAI: 550, Market.SHENZHEN: 450}
FURTHER_COUNTERS = 60
NCPS = 240
#: of a hundred stocks, so many are not eligible
_NOT_ELIGIBLE = 3

#: kind of participant -> the letter of its id, how many of a hundred
_KINDS = (
    (ParticipantType.DIRECT_CLEARING, "B", 62),
    (ParticipantType.GENERAL_CLEARING, "B", 6),
    (ParticipantType.CLEARING_AGENCY, "A", 2),
    (ParticipantType.CUSTODIAN, "C", 14),
    (ParticipantType.STOCK_LENDER, "L", 4),
    (ParticipantType.STOCK_PLEDGEE, "P", 4),
    (ParticipantType.INVESTOR, "I", 8),
)
_BUSINESSES = {
    ParticipantType.DIRECT_CLEARING: ("Securities Limited", "Brokerage Limited", "Stockbrokers Limited"),
    ParticipantType.GENERAL_CLEARING: ("Clearing Limited", "Clearing Services (Asia) Limited"),
    ParticipantType.CLEARING_AGENCY: ("Depository and Clearing",),
    ParticipantType.CUSTODIAN: ("Bank", "Trust Bank", "Custody Services Limited"),
    ParticipantType.STOCK_LENDER: ("Lending Limited",),
    ParticipantType.STOCK_PLEDGEE: ("Finance Limited",),
    ParticipantType.INVESTOR: ("Nominees Limited", "Family Office Limited"),
}
_TRADES_OF_STOCKS = (
    "Holdings", "Group", "Energy", "Shipping", "Foods", "Pharma", "Motors", "Property", "Cement", "Optics", "Textiles",
    "Robotics", "Water", "Airways", "Media",
)  # fmt: skip
_BEGINNINGS = (
    "Vex", "Zor", "Quil", "Brav", "Oxt", "Tarn", "Jyl", "Kesk", "Wuld", "Myrr", "Plen", "Druv", "Fosk", "Gnel",
)  # fmt: skip
_MIDDLES = ("om", "av", "iss", "urr", "eld", "onk", "ix", "ept", "oov", "ath")
_ENDS = ("andra", "elix", "ovar", "ustra", "immo", "ekka", "olane", "yndis", "arquo", "ebbin")
_LOTS = (100, 200, 400, 500, 1000, 2000, 4000, 5000, 10_000)
#: the first day on which one could be a participant
_EPOCH = date(1992, 6, 24)


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant of the list. effective_to: None while it is one."""

    participant_id: str
    name: str
    kind: ParticipantType
    is_active: bool
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class ListedStock:
    """One counter. domain_code: that of the counter in which the security settles (None: not known).

    price: in thousandths, about which it trades.
    """

    code: str
    isin: str
    name: str
    market: Market
    board_lot: int
    trading_currency: Currency
    settlement_currency: Currency
    domain_code: str | None
    is_eligible: bool
    price: int
    is_debt: bool = False


class NcpMapping(NamedTuple):
    """Which GCP clears an NCP's trades in a market, from and to which day (None: still)."""

    market: Market
    ncp: str
    broker: str
    gcp: str
    effective_from: date
    effective_to: date | None

    def holds_on(self, day: date) -> bool:
        """Whether it is so on that day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


class GivenStock(NamedTuple):
    """A stock that the options state, to be among those generated."""

    code: str
    isin: str | None
    is_eligible: bool
    is_domain: bool


class ReferenceData:
    """All of it, made once.

    registered: participants that must be among those listed; of these, those of a broker's letter are GCPs.
    """

    def __init__(self, seed: int, registered: Collection[str] = (), stocks: Collection[GivenStock] = ()) -> None:
        self.participants = _participants(seed, sorted(set(registered)))
        self.stocks = _stocks(seed, stocks)
        self.ncp_mappings = _ncp_mappings(seed, self.participants, set(registered))
        self.eligible: Mapping[Market, list[ListedStock]] = {
            market: [one for one in self.stocks if one.market is market and one.is_eligible] for market in Market
        }
        #: brokers of the market besides the NCPs, with the participant that clears for them
        self.brokers = [
            (f"{number:04d}", one.participant_id)
            for number, one in enumerate(
                (one for one in self.participants if one.kind in _CLEARERS and one.is_active), start=1001
            )
        ]

    def ncps_of(self, gcps: Collection[str], market: Market, day: date) -> list[NcpMapping]:
        """The NCPs for which one of these clears in a market on a day."""
        return [one for one in self.ncp_mappings if one.market is market and one.gcp in gcps and one.holds_on(day)]


_CLEARERS = (ParticipantType.DIRECT_CLEARING, ParticipantType.GENERAL_CLEARING)


def check_digit(characters: str) -> str:
    """The check digit of an ISIN's first eleven characters (ISO 6166: Luhn over letters as numbers from 10)."""
    digits = "".join(str(int(character, 36)) for character in characters)
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number // 10 + number % 10
    return str(-total % 10)


def _isin(country: str, number: str) -> str:
    return f"{country}{number}{check_digit(country + number)}"


def _hong_kong_isin(code: str) -> str:
    return _isin("HK", f"{code[1:]}00000" if code[0] == "0" else f"9{code}000")


def _random(seed: int, what: str) -> Random:
    return Random(f"{seed} {what}")  # noqa: S311 - it must repeat


def _names(random: Random) -> Iterator[str]:
    """Invented words, none twice."""
    told: set[str] = set()
    while True:
        name = random.choice(_BEGINNINGS) + random.choice(_MIDDLES) + random.choice(_ENDS)
        if len(told) >= len(_BEGINNINGS) * len(_MIDDLES) * len(_ENDS) // 2:
            name = f"{name} {random.choice(_BEGINNINGS)}{random.choice(_ENDS)}"
        if name not in told:
            told.add(name)
            yield name


def _participants(seed: int, registered: list[str]) -> list[Participant]:
    random = _random(seed, "participants")
    names = _names(random)
    kinds = {letter: kind for kind, letter, _ in _KINDS if kind is not ParticipantType.DIRECT_CLEARING}
    made = {
        one: _participant(random, one, kinds.get(one[:1], ParticipantType.DIRECT_CLEARING), next(names), is_new=False)
        for one in registered
    }
    shares = [share for _, _, share in _KINDS]
    while len(made) < PARTICIPANTS:
        kind, letter, _ = random.choices(_KINDS, shares)[0]
        participant_id = f"{letter}{random.randrange(1, 2200):05d}"
        if participant_id not in made:
            made[participant_id] = _participant(random, participant_id, kind, next(names), is_new=True)
    return [made[one] for one in sorted(made)]


def _participant(random: Random, participant_id: str, kind: ParticipantType, name: str, is_new: bool) -> Participant:
    since = _EPOCH + timedelta(days=random.randrange(11_000))
    is_active = not is_new or random.randrange(100) >= 2
    return Participant(participant_id, f"{name} {random.choice(_BUSINESSES[kind])}", kind, is_active, since, None)


def _stocks(seed: int, given: Collection[GivenStock]) -> list[ListedStock]:
    random = _random(seed, "stocks")
    names = _names(random)
    # what is stated, and that of the shipped examples, is there under any seed
    codes = {"00005", *random.sample([f"{number:05d}" for number in range(1, 10_000)], 2200)}
    wanted = STOCKS[Market.HONG_KONG] - FURTHER_COUNTERS
    chosen = ["00005", *sorted(codes - {"00005"})[: wanted - 1]]
    made = {code: _hong_kong_stock(random, code, next(names)) for code in sorted(chosen)}
    for code in random.sample(sorted(code for code in made if not made[code].is_debt), FURTHER_COUNTERS):
        further = f"8{code[1:]}"
        made[further] = _counter_of(made[code], further)
    for market, letter, first in ((Market.SHANGHAI, "E9", 90_000), (Market.SHENZHEN, "E8", 70_000)):
        for number in random.sample(range(first, first + 9000), STOCKS[market]):
            code = f"{number:05d}"
            made[code] = ListedStock(
                code=code,
                isin=_isin("CN", f"{letter}{number:07d}"),
                name=f"{next(names)} {random.choice(_TRADES_OF_STOCKS)}".upper(),
                market=market,
                board_lot=100,
                trading_currency=Currency.RENMINBI,
                settlement_currency=Currency.RENMINBI,
                domain_code=code,
                is_eligible=random.randrange(100) >= _NOT_ELIGIBLE,
                price=random.randrange(200, 20_000) * 10,
            )
    for one in given:
        stock = made.get(one.code) or _hong_kong_stock(random, one.code, next(names))
        made[one.code] = _as_given(stock, one)
    return [made[code] for code in sorted(made)]


def _hong_kong_stock(random: Random, code: str, name: str) -> ListedStock:
    is_debt = 4000 <= int(code) < 5000
    currency = Currency.US_DOLLAR if random.randrange(60) == 0 else Currency.HONG_KONG_DOLLAR
    return ListedStock(
        code=code,
        isin=_hong_kong_isin(code),
        name=f"{name} {'Notes' if is_debt else random.choice(_TRADES_OF_STOCKS)}".upper(),
        market=Market.HONG_KONG,
        board_lot=random.choice(_LOTS),
        trading_currency=currency,
        settlement_currency=currency,
        domain_code=code,
        is_eligible=code == "00005" or random.randrange(100) >= _NOT_ELIGIBLE,
        price=random.randrange(98_000, 104_000) if is_debt else random.randrange(10, 9000) * random.choice((1, 10, 50)),
        is_debt=is_debt,
    )


def _counter_of(stock: ListedStock, code: str) -> ListedStock:
    price = max(10, stock.price * 9 // 10)
    return replace(stock, code=code, name=f"{stock.name}-R", trading_currency=Currency.RENMINBI, price=price)


def _as_given(stock: ListedStock, given: GivenStock) -> ListedStock:
    elsewhere = None if stock.domain_code == stock.code else stock.domain_code
    return replace(
        stock,
        isin=given.isin or stock.isin,
        domain_code=stock.code if given.is_domain else elsewhere,
        is_eligible=given.is_eligible,
    )


def _ncp_mappings(seed: int, participants: list[Participant], registered: set[str]) -> list[NcpMapping]:
    """Each NCP has one GCP a market; China Connect may be another's, and some went from one to another."""
    random = _random(seed, "ncps")
    gcps = [one.participant_id for one in participants if one.kind is ParticipantType.GENERAL_CLEARING]
    # whoever works with the simulator wants trades
    gcps = [*gcps, *(one for one in gcps if one in registered for _ in range(4))]
    if not gcps:
        return []
    made: list[NcpMapping] = []
    brokers = iter(random.sample(range(3000, 9999), NCPS * 2))
    for number in range(NCPS):
        ncp = f"E{number + 1:05d}"
        at_home = random.choice(gcps)
        connected = at_home if random.randrange(4) else random.choice(gcps)
        for broker in [f"{next(brokers):04d}" for _ in range(random.choice((1, 1, 1, 2)))]:
            since = date(2015, 1, 1) + timedelta(days=random.randrange(2500))
            for market in Market:
                gcp = at_home if market is Market.HONG_KONG else connected
                if random.randrange(12) == 0:
                    ends = date(2022, 1, 1) + timedelta(days=random.randrange(1000))
                    made.append(NcpMapping(market, ncp, broker, random.choice(gcps), since, ends))
                    made.append(NcpMapping(market, ncp, broker, gcp, ends + timedelta(days=1), None))
                else:
                    made.append(NcpMapping(market, ncp, broker, gcp, since, None))
    return made

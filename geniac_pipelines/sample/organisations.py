"""Invented organisations: names, corporate numbers, GPUs, contracts, and who plays which part.

Names are made of place-like words that no company bears and a field of work; corporate numbers
have valid check digits but a registry office code (9999) that does not exist. Mail addresses are
of functions, not of persons, under the domain .example, which leads nowhere (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.sample.model import (
    FISCAL_YEAR_END,
    LAST_MONTH,
    Company,
    Contract,
    Pool,
    Slot,
    Trait,
    randomness,
)

DOMAIN: Final = "領域特化モデル開発"
ROBOT: Final = "ロボット基盤モデル開発"
STUDENTS: Final = "懸賞（学生計算資源）"

SECRETARIAT_PERSON: Final = "事務局 見本 太郎（架空）"
"""Who confirms, releases and issues in the sample; nobody of that name exists."""

PROVIDER: Final = "kirigumo-cloud"
"""The provider whose cluster two companies share; it sends one file for both."""
PROVIDER_CLUSTER: Final = "kirigumo"
OPERATORS_ACCOUNT: Final = "kirigumo-ops"
"""The provider's own account on that cluster, which belongs to no organisation."""

_STEMS: Final = (
    ("霧ヶ原", "kirigahara"), ("星見坂", "hoshimizaka"), ("潮路野", "shiojino"),
    ("白妙沢", "shirotaezawa"), ("月影台", "tsukikagedai"), ("葦火浦", "ashibiura"),
    ("風待峠", "kazemachitoge"), ("千早瀬", "chihayase"), ("朝凪原", "asanagihara"),
    ("灯野", "tomoshino"), ("木霊谷", "kodamadani"), ("氷室沢", "himurozawa"),
    ("露草町", "tsuyukusamachi"), ("虹ヶ淵", "nijigafuchi"), ("遠音山", "tonesan"),
    ("薄氷台", "usuraidai"), ("若苗川", "wakanaegawa"), ("蛍火野", "hotarubino"),
    ("雲居坂", "kumoizaka"), ("波音浜", "namiotohama"), ("花筏川", "hanaikadagawa"),
    ("陽炎原", "kagerohara"), ("時雨坂", "shigurezaka"), ("茜雲台", "akanegumodai"),
    ("鈴鳴谷", "suzunaridani"), ("水鏡沼", "mizukaganuma"), ("梢野", "kozueno"),
    ("雪待里", "yukimachisato"), ("磯笛浦", "isobueura"), ("夕星台", "yuzutsudai"),
)  # fmt: skip
_FIELDS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    DOMAIN: (
        ("医用言語モデル", "medlm", "Medical Language Models"),
        ("材料計算", "materials", "Materials Computing"),
        ("法務言語", "legal", "Legal Language"),
        ("気象知能", "weather", "Weather Intelligence"),
        ("製造知能", "factory", "Manufacturing Intelligence"),
        ("創薬計算", "drug", "Drug Computing"),
        ("金融言語", "finance", "Financial Language"),
    ),
    ROBOT: (
        ("ロボティクス", "robotics", "Robotics"),
        ("自律機械", "machines", "Autonomous Machines"),
    ),
    STUDENTS: (("学生計算資源運営", "students", "Student Compute Office"),),
}
_PROVIDERS: Final = (
    "霧雲クラウド基盤株式会社",
    "北辰計算資源株式会社",
    "南灯データセンター株式会社",
)

_TRAITS: Final[Mapping[int, frozenset[Trait]]] = {
    0: frozenset({Trait.PIPED_NAMES, Trait.CP932}),
    1: frozenset({Trait.OVER_PLAN, Trait.DAILY}),
    2: frozenset({Trait.CHRONIC_IDLE}),
    3: frozenset({Trait.MIG}),
    4: frozenset({Trait.SHARED_CLUSTER}),
    5: frozenset({Trait.SHARED_CLUSTER}),
    6: frozenset({Trait.LATE_CORRECTION}),
    7: frozenset({Trait.MIG, Trait.MIXED_JOBS}),
    8: frozenset({Trait.AFTER_PERIOD}),
    9: frozenset({Trait.CONTRADICTS}),
    10: frozenset({Trait.UNDER_PLAN}),
    11: frozenset({Trait.NO_TELEMETRY, Trait.LOCAL_STAMPS}),
    12: frozenset({Trait.PARTIAL_TELEMETRY}),
    13: frozenset({Trait.METER_FAULTS, Trait.DAILY}),
    14: frozenset({Trait.TRUNCATED}),
    15: frozenset({Trait.BAD_WORKBOOK, Trait.LOCAL_STAMPS}),
    16: frozenset({Trait.HALF_EMPTY}),
    17: frozenset({Trait.MISSING_REPORT, Trait.UNKNOWN_FORMAT}),
    18: frozenset({Trait.LATE_REPORT}),
    19: frozenset({Trait.STEPS}),
    20: frozenset({Trait.SOME_IDLE}),
    21: frozenset({Trait.TELEMETRY_STOPS}),
    22: frozenset({Trait.LOCAL_STAMPS}),
    23: frozenset({Trait.WEAK_USE}),
}
_TWO_TYPES: Final = 12
_UNIT_PRICES: Final[Mapping[str, tuple[int, int]]] = {
    "H100": (480, 780), "A100": (260, 420), "H200": (640, 980),
}  # fmt: skip


@dataclass(frozen=True)
class _Slices:
    """How a GPU of a type is divided: gres name, 1/28 parts, how many of them."""

    gpu_type: str
    profiles: tuple[tuple[str, int, int], ...]


# NVIDIA's MIG user guide: seven compute slices, so Ng is 4N parts of 28
_A100_SLICES: Final = _Slices("A100", (("3g.20gb", 12, 1), ("2g.10gb", 8, 1), ("1g.5gb", 4, 2)))
_H100_SLICES: Final = _Slices("H100", (("1g.10gb", 4, 7),))


def corporate_number(base: str) -> str:
    """法人番号: the check digit before a 12-digit base number.

    9 minus the remainder by 9 of the digits' sum, from the right weighted 1, 2, 1, 2, …
    (国税庁, 法人番号の指定等に関する省令 第2条).
    """
    weighted = sum(int(d) * (1 + at % 2) for at, d in enumerate(reversed(base)))
    return f"{9 - weighted % 9}{base}"


def first_month(months: int) -> Month:
    """The sample's first month, when `months` of them end with 2026-09."""
    if months < 1:
        raise ValueError(f"months must be at least 1, not {months}")
    month = LAST_MONTH
    for _ in range(months - 1):
        month = month.previous()
    return month


def companies_of(count: int, gpus: int, months: int, seed: int) -> tuple[Company, ...]:
    """`count` companies with `gpus` GPUs each (student offices a quarter, at least 4)."""
    if count < 1 or gpus < 1:
        raise ValueError(f"companies and GPUs must be at least 1, not {count} and {gpus}")
    shared = count > max(i for i, t in _TRAITS.items() if Trait.SHARED_CLUSTER in t)
    traits = [_traits(i, shared=shared) for i in range(count)]
    return tuple(_company(i, gpus, months, traits[i], seed) for i in range(count))


def _traits(index: int, *, shared: bool) -> frozenset[Trait]:
    traits = _TRAITS.get(index, frozenset())
    return traits if shared else traits - {Trait.SHARED_CLUSTER}


def _company(index: int, gpus: int, months: int, traits: frozenset[Trait], seed: int) -> Company:
    rng = randomness(seed, "company", index)
    first = first_month(months)
    segment = STUDENTS if Trait.MIG in traits else ROBOT if index % 4 == 1 else DOMAIN
    organisation_id, name_ja, name_en = _names(index, segment)
    pools = _pools(index, gpus, traits, organisation_id)
    is_shared = Trait.SHARED_CLUSTER in traits
    support_to = _period_end(first, months) if Trait.AFTER_PERIOD in traits else FISCAL_YEAR_END
    return Company(
        index=index,
        organisation_id=organisation_id,
        name_ja=name_ja,
        name_en=name_en,
        corporate_number=corporate_number(f"999901{index + 1:06d}"),
        segment=segment,
        cohort="2026年1月公募" if index % 3 else "2025年9月公募",
        support_from=first.first,
        support_to=support_to,
        cluster=PROVIDER_CLUSTER if is_shared else f"{organisation_id.split('-')[0]}-hpc",
        accounts=(f"geniac-{organisation_id}",) if is_shared else ("geniac", "geniac-eval"),
        pools=pools,
        contracts=_contracts(index, pools, first.first, support_to, rng.random()),
        traits=traits,
        utilisation=_utilisation(index, traits),
        activity=_activity(rng.uniform(0.36, 0.72), traits),
        plan_share=_plan_share(index, traits),
        # nobody has told the secretariat that one's
        contact=None if Trait.HALF_EMPTY in traits else f"geniac@{organisation_id}.example",
    )


def _names(index: int, segment: str) -> tuple[str, str, str]:
    """Organisation id, Japanese and English name; stems come round again with another field."""
    stem_ja, stem = _STEMS[index % len(_STEMS)]
    fields = _FIELDS[segment]
    field_ja, field_id, field_en = fields[(index // 2) % len(fields)]
    lap = index // len(_STEMS)
    if lap:
        stem_ja, stem = f"第{lap + 1}{stem_ja}", f"{stem}{lap + 1}"
    english = f"{stem.capitalize()} {field_en}"
    if segment == STUDENTS:
        return f"{stem}-{field_id}", f"一般社団法人{stem_ja}{field_ja}", f"{english} Association"
    if index % 2:
        return f"{stem}-{field_id}", f"{stem_ja}{field_ja}株式会社", f"{english} Inc."
    return f"{stem}-{field_id}", f"株式会社{stem_ja}{field_ja}", f"{english} Inc."


def _period_end(first: Month, months: int) -> date:
    """The end of a period that stops before the sample does: the last month, or half of it."""
    if months > 1:
        return LAST_MONTH.previous().last
    return first.first + timedelta(days=14)


def _pools(index: int, gpus: int, traits: frozenset[Trait], owner: str) -> tuple[Pool, ...]:
    if Trait.MIG in traits:
        slices = _H100_SLICES if Trait.MIXED_JOBS in traits else _A100_SLICES
        count = max(4, gpus // 4)
        whole = count // 2
        return (
            _whole_gpus(slices.gpu_type, whole, f"{owner}-g"),
            *_sliced(slices, count - whole, f"{owner}-m"),
        )
    if index == _TWO_TYPES and gpus > 1:
        half = max(1, gpus // 16 * 8) if gpus >= 16 else gpus // 2
        return _whole_gpus("H100", half, "hgx"), _whole_gpus("A100", gpus - half, "dgx")
    gpu_type = "H200" if index % 8 == 6 else "A100" if index % 9 == 5 else "H100"
    prefix = f"{owner}-g" if Trait.SHARED_CLUSTER in traits else "gpu"
    return (_whole_gpus(gpu_type, gpus, prefix),)


def _whole_gpus(gpu_type: str, count: int, prefix: str) -> Pool:
    slots = tuple(Slot(f"{prefix}{1 + i // 8:03d}", i % 8) for i in range(count))
    return Pool(gpu_type.lower(), gpu_type, 28, 8, slots)


def _sliced(slices: _Slices, gpus: int, prefix: str) -> tuple[Pool, ...]:
    pools = []
    first_slice = 1
    for gres, parts, each in slices.profiles:
        slots = tuple(
            Slot(f"{prefix}{1 + gpu // 8:03d}", gpu % 8, first_slice + k)
            for gpu in range(gpus)
            for k in range(each)
        )
        pools.append(Pool(gres, slices.gpu_type, parts, 8 * each, slots))
        first_slice += each
    return tuple(pools)


def physical_gpus(pools: tuple[Pool, ...], gpu_type: str) -> int:
    """How many physical GPUs of a type the pools stand on."""
    return len({(s.node, s.gpu) for p in pools if p.gpu_type == gpu_type for s in p.slots})


def _contracts(
    index: int, pools: tuple[Pool, ...], starts_on: date, ends_on: date, level: float
) -> tuple[Contract, ...]:
    contracts = []
    for gpu_type in dict.fromkeys(pool.gpu_type for pool in pools):
        low, high = _UNIT_PRICES[gpu_type]
        contracts.append(
            Contract(
                number=f"C-2026-{index + 1:03d}",
                provider=_PROVIDERS[index % len(_PROVIDERS)],
                gpu_type=gpu_type,
                gpu_count=physical_gpus(pools, gpu_type),
                unit_price_jpy=low + round(level * (high - low)) // 5 * 5,
                starts_on=starts_on,
                ends_on=ends_on,
            )
        )
    return tuple(contracts)


def _utilisation(index: int, traits: frozenset[Trait]) -> float:
    if Trait.OVER_PLAN in traits:
        return 0.94
    if Trait.CHRONIC_IDLE in traits:
        return 0.85
    if Trait.UNDER_PLAN in traits:
        return 0.30
    return 0.42 + 0.53 * (index * 7 % 13) / 12


def _activity(usual: float, traits: frozenset[Trait]) -> float:
    return 0.12 if Trait.WEAK_USE in traits else round(usual, 3)


def _plan_share(index: int, traits: frozenset[Trait]) -> float:
    """Near the truth, but for those who plan far beside it."""
    if Trait.OVER_PLAN in traits:
        return 0.42
    if Trait.UNDER_PLAN in traits:
        return 0.85
    return min(0.97, _utilisation(index, traits) * (0.93 + 0.02 * (index % 5)))

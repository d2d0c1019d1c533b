"""GPUs out of Slurm's TRES and GRES texts: the untyped total and its typed parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.gpu_usage.sacct.tres import (
    Gres,
    UnreadableTres,
    gpus,
    gpus_of_gres,
    gpus_of_list,
)


@pytest.mark.parametrize(
    ("tres", "text", "count"),
    [
        # total and type side by side are the same 16 GPUs
        ("billing=16,cpu=16,gres/gpu:h100=16,gres/gpu=16,mem=128G,node=2", "h100=16", 16),
        ("gres/gpu=16,node=2,gres/gpu:h100=16,billing=16", "h100=16", 16),
        # a mixed node: MIG slices and whole GPUs
        ("gres/gpu:1g.10gb=3,gres/gpu:h100=2,gres/gpu=5", "1g.10gb=3,h100=2", 5),
        ("gres/gpu=5,gres/gpu:h100=2,gres/gpu:1g.10gb=3", "1g.10gb=3,h100=2", 5),
        # requests name no type
        ("billing=4,cpu=4,gres/gpu=16,mem=8G,node=2", "gpu=16", 16),
        ("gres/gpu=2", "gpu=2", 2),
        # typed entries alone
        ("cpu=2,gres/gpu:a100=2,gres/gpu:v100=1", "a100=2,v100=1", 3),
        # some of the total has no type
        ("gres/gpu:h100=2,gres/gpu=5", "gpu=3,h100=2", 5),
        ("gres/gpu:a100_1g.5gb=2,gres/gpu=2", "a100_1g.5gb=2", 2),
        ("gres/gpu:gpu=2,gres/gpu=2", "gpu=2", 2),
        # other resources, whose names begin alike
        ("gres/gpu=1,gres/gpumem=40G,gres/gpuutil=97", "gpu=1", 1),
        ("gres/gpumem=80G,gres/gpuutil=50", "", 0),
        ("cpu=4,mem=4G,node=1,license/matlab=2,fs/disk=36536,energy=-2", "", 0),
        ("gres/mps=100,gres/shard=4", "", 0),
        ("", "", 0),
        ("(null)", "", 0),
        # Slurm's large numbers go by 1024
        ("gres/gpu=2K,gres/gpu:h100=2048", "h100=2048", 2048),
        ("gres/gpu=1.50K", "gpu=1536", 1536),
        ("gres/gpu=0,cpu=1", "", 0),
        ("gres/gpu=4,gres/gpu=4", "gpu=4", 4),
    ],
)
def test_canonical_text_and_count(tres, text, count):
    assert (gpus(tres).text, gpus(tres).count) == (text, count)


def test_where_types_exceed_the_total_the_total_holds_and_the_types_go():
    gres = gpus("gres/gpu:h100=16,gres/gpu=8")
    assert (gres.text, gres.count, gres.typed_excess) == ("gpu=8", 8, 8)
    assert gpus("gres/gpu:h100=16,gres/gpu=16").typed_excess == 0


@pytest.mark.parametrize(
    "tres",
    [
        "gres/gpu",
        "gres/gpu=",
        "gres/gpu=two",
        "gres/gpu=1.3",
        "gres/gpu=1.3K",
        "gres/gpu=-1",
        "gres/gpu:=1",
        "gres/gpu=18446744073709551614",
        "gres/gpu=2,gres/gpu=3",
        "cpu=4;gres/gpu=2",
        "billing=16,cpu=1+",
        "COMPLETED",
        "Unknown",
        "cpu=1,,gres/gpu=1",
        "cpu=1\ngres/gpu=1",
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_no_gpu(tres):
    with pytest.raises(UnreadableTres):
        gpus(tres)


@pytest.mark.parametrize(
    ("gres", "text"),
    [
        ("gpu:2", "gpu=2"),
        ("gpu:tesla:2", "tesla=2"),
        ("gpu:tesla:2(S:0-1)", "tesla=2"),
        ("gpu:a100:2(IDX:0,3),mps:100", "a100=2"),
        ("gpu:tesla:1(S:0),gpu:tesla:1(S:1)", "tesla=2"),
        ("gpu:tesla", "tesla=1"),
        ("gpu", "gpu=1"),
        ("gpu:0", ""),
        # the name as a number: 0x67 + 0x70·256 + 0x75·65536 = 7696487
        ("7696487:4", "gpu=4"),
        ("mps:100", ""),
        ("", ""),
        ("(null)", ""),
    ],
)
def test_gres_texts_of_old_versions(gres, text):
    assert gpus_of_gres(gres).text == text


@pytest.mark.parametrize("gres", ["gpu:tesla:two", "gpu:2:3:4", "gpu tesla 2", "gpu:"])
def test_unreadable_gres_texts(gres):
    with pytest.raises(UnreadableTres):
        gpus_of_gres(gres)


def test_json_list_total_and_type_are_the_same_gpus():
    entries = [
        {"type": "cpu", "name": None, "id": 1, "count": 192},
        {"type": "energy", "name": "", "id": 3, "count": -2},
        {"type": "gres", "name": "gpu:h100", "id": 1002, "count": 16},
        {"type": "gres", "name": "gpu", "id": 1001, "count": 16},
        {"type": "gres", "name": "gpumem", "id": 1003, "count": 999},
    ]
    assert gpus_of_list(entries) == Gres((("h100", 16),))
    assert gpus_of_list([]) == Gres()


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "gres", "name": "gpu", "count": None},
        {"type": "gres", "name": "gpu", "count": True},
        {"type": "gres", "name": "gpu", "count": -2},
        {"type": "gres", "name": None, "count": 1},
        "gres/gpu=1",
    ],
)
def test_json_list_with_a_gpu_that_cannot_be_counted(entry):
    with pytest.raises(UnreadableTres):
        gpus_of_list([entry])


TYPES = st.sampled_from(["h100", "a100", "1g.10gb", "tesla", "mi300x"])
TYPED = st.dictionaries(TYPES, st.integers(1, 4096))
OTHERS = ["cpu=16", "mem=128G", "node=2", "billing=16", "gres/gpumem=80G", "gres/gpuutil=99"]


@given(typed=TYPED, rest=st.integers(0, 64), data=st.data())
def test_total_and_types_are_never_added_in_any_order(typed, rest, data):
    total = sum(typed.values()) + rest
    entries = [f"gres/gpu:{kind}={count}" for kind, count in typed.items()]
    entries = data.draw(st.permutations([*entries, f"gres/gpu={total}", *OTHERS]))
    gres = gpus(",".join(entries))
    assert gres.count == total
    assert {kind: count for kind, count in gres.entries if kind} == typed
    assert gres == gpus(",".join(reversed(entries)))


@given(typed=TYPED, total=st.integers(0, 4096))
def test_the_total_is_what_slurm_says_whatever_the_types_say(typed, total):
    entries = [f"gres/gpu:{kind}={count}" for kind, count in typed.items()]
    gres = gpus(",".join([*entries, f"gres/gpu={total}"]))
    assert gres.count == total
    assert gres.typed_excess == max(0, sum(typed.values()) - total)


@given(st.text(), st.sampled_from([gpus, gpus_of_gres]))
def test_any_text_gives_gpus_or_the_error(text, reader):
    try:
        found = reader(text)
    except UnreadableTres:
        found = None
    assert found is None or found.count == sum(count for _, count in found.entries)

"""Looking at a file as intake would and keeping nothing: what its sender would be told.

Not here: the wording (`reply`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from geniac_pipelines.intake.desk import UNDECODABLE, UNKNOWN
from geniac_pipelines.intake.envelopes import Classification
from geniac_pipelines.intake.judge import Expectation, Judge
from geniac_pipelines.intake.land import Landed
from geniac_pipelines.intake.reading import Context, Format, Place, Refusal, Row, Source
from geniac_pipelines.intake.recognise import recognise
from geniac_pipelines.intake.reply import Reply, reply
from geniac_pipelines.intake.unpack import NESTED, UnpackRefused, members
from geniac_pipelines.japanese import UndecodableText
from geniac_pipelines.store.files import sha256_of


def check(
    path: Path,
    formats: Sequence[Format],
    context: Context,
    expectations: Sequence[Expectation] = (),
) -> list[Reply]:
    """Read and judge a file; one reply for it, or one for each file that an envelope holds.

    Raises what a reader raises, and RuntimeError for an expectation that can't be evaluated.
    """
    source = Source(path.name, path)
    if not Classification(source, formats).envelope:
        return [_looked_at(source, formats, context, expectations)]
    replies = []
    with TemporaryDirectory(prefix="geniac-check-") as folder:
        try:
            for name, member in members(source, Path(folder)):
                inner = Source(f"{path.name}!{name}", member)
                if Classification(inner, formats).envelope:
                    raise UnpackRefused(NESTED.at(Place()))
                replies.append(_looked_at(inner, formats, context, expectations))
                member.unlink()
        except UnpackRefused as refused:
            # of such an envelope nothing is taken, also nothing of what came before the fault
            landed = Landed()
            landed.refuse(refused.refusal)
            return [_reply(source, context, {}, landed, None)]
    return replies


def _looked_at(
    source: Source,
    formats: Sequence[Format],
    context: Context,
    expectations: Sequence[Expectation],
) -> Reply:
    known = recognise(source, formats)
    taken: dict[str, int] = {}
    # keeps as many refusals as a night would
    landed = Landed()
    if known is None:
        landed.refuse(UNKNOWN.at(Place()))
        return _reply(source, context, taken, landed, known)
    try:
        for item in Judge(expectations).through(known.read(source, context)):
            if isinstance(item, Refusal):
                landed.refuse(item)
                continue
            count = 1 if isinstance(item, Row) else item.rows.num_rows
            taken[item.contract.ja] = taken.get(item.contract.ja, 0) + count
    except UndecodableText as error:
        landed = Landed()
        landed.refuse(
            UNDECODABLE.at(
                Place(), offset=error.offset, reason_ja=error.reason_ja, reason_en=error.reason_en
            )
        )
        taken = {}
    return _reply(source, context, taken, landed, known)


def _reply(
    source: Source,
    context: Context,
    taken: dict[str, int],
    landed: Landed,
    known: Format | None,
) -> Reply:
    return reply(
        source.name,
        sha256_of(source.path),
        sender=context.sender,
        received_at=context.received_at,
        rows_taken=taken,
        refusals=landed.refusals,
        contracts=known.contracts if known else (),
        personal=known.personal if known else False,
        left_out=landed.complaints - len(landed.refusals),
    )

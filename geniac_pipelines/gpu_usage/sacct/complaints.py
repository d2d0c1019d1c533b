"""What the readers of sacct's text and JSON say to senders: refusals and notes, ja and en.

Here: kinds of complaint about a file and its cells. Not here: those about a run of a job
(`job`).
"""

from __future__ import annotations

from geniac_pipelines.intake.reading import Complaint

_AGAIN_JA = "次のコマンドで出力し直してください：{command}"
_AGAIN_EN = "run sacct again like this: {command}"

FIELDS_MISSING = Complaint(
    "sacct.fields-missing",
    "file",
    ja="必要な列がありません：{missing}",
    ja_remedy=_AGAIN_JA,
    en="required fields are missing: {missing}",
    en_remedy=_AGAIN_EN,
)
NO_HEADER = Complaint(
    "sacct.no-header",
    "file",
    ja="sacctの出力ですが、見出しの行がないため、どの列が何か分かりません",
    ja_remedy="-n(--noheader)を付けずに、" + _AGAIN_JA,
    en="this is output of sacct without its header line, so the fields can't be told apart",
    en_remedy="without -n (--noheader), " + _AGAIN_EN,
)
FIXED_WIDTH = Complaint(
    "sacct.fixed-width",
    "file",
    ja="sacctの画面表示用の表です。値が列幅で切れているため読み取れません",
    ja_remedy="-P(--parsable2)を付けて、" + _AGAIN_JA,
    en="this is sacct's table for the eye, whose values are cut to the width of columns",
    en_remedy="with -P (--parsable2), " + _AGAIN_EN,
)
DELIMITER = Complaint(
    "sacct.delimiter",
    "file",
    ja="区切り文字「{cell}」は値の中にも現れる(gres/gpu=8,cpu=16 など)ため、列を確定できません",
    ja_remedy=_AGAIN_JA,
    en="the delimiter {cell!r} also occurs within values (gres/gpu=8,cpu=16), so fields are unsure",
    en_remedy=_AGAIN_EN,
)
OTHER_HEADER = Complaint(
    "sacct.other-header",
    "file",
    ja="途中に別の見出しの行があります。ここから後は読んでいません",
    ja_remedy="列の並びの異なる出力は、別々のファイルで提出してください",
    en="another header stands here; nothing from here on was read",
    en_remedy="send outputs with different fields as separate files",
)
FIELD_COUNT = Complaint(
    "sacct.field-count",
    "row",
    ja="列の数が合いません(見出しは{expected}列、この行は{found}列)",
    ja_remedy=(
        "ジョブ名に区切り文字や改行があると行が崩れます。JobNameを除くか最後の列に置き、"
        "区切り文字を0x1Fにしてください：{command}"
    ),
    en="the number of fields is wrong (header {expected}, this row {found})",
    en_remedy=(
        "job names that hold the delimiter or a line feed break rows: leave JobName out or put "
        "it last, and take 0x1F as delimiter: {command}"
    ),
)
CUT = Complaint(
    "sacct.cut",
    "row",
    ja="ファイルがこの行の途中で終わっています。この行と、これより後の行は取り込めていません",
    ja_remedy="sacctの出力をもう一度保存し、全体を提出し直してください(最後の行も改行で終わります)",
    en="the file ends in the middle of this row; it and whatever came after it are missing",
    en_remedy="save sacct's output again and send all of it (its last line ends with a line feed)",
)
UNDECODABLE = Complaint(
    "sacct.undecodable",
    "row",
    ja="文字コードを判別できない行です",
    ja_remedy="ジョブ名に文字化けがないか確認し、JobNameを除いて出力し直してください",
    en="this line is text in no encoding we accept",
    en_remedy="look for garbled job names, or leave JobName out and run sacct again",
)
CELL = Complaint(
    "sacct.cell",
    "cell",
    ja="「{cell}」は{expected_ja}として読めないため、空欄としました",
    ja_remedy="sacctの出力を加工せずに提出してください",
    en="{cell!r} is not {expected_en}; the cell was left empty",
    en_remedy="send sacct's output unchanged",
)
REQUIRED_CELL = Complaint(
    "sacct.required-cell",
    "row",
    ja="「{cell}」は{expected_ja}として読めません",
    ja_remedy="sacctの出力を加工せずに提出してください。" + _AGAIN_JA,
    en="{cell!r} is not {expected_en}",
    en_remedy="send sacct's output unchanged; " + _AGAIN_EN,
)
STATE_EMPTY = Complaint(
    "sacct.state-empty",
    "cell",
    ja="状態が空欄のため、UNKNOWNとしました",
    ja_remedy="slurmdbdの記録を確認してください",
    en="the state is empty and was taken as UNKNOWN",
    en_remedy="check slurmdbd's records",
)
AMBIGUOUS_TIME = Complaint(
    "sacct.ambiguous-time",
    "row",
    ja="夏時間の終わりで2回ある時刻のため、どちらか決められません",
    ja_remedy="SLURM_TIME_FORMAT=%s を付けて出力し直してください：{command}",
    en="a local time that comes twice when clocks go back; which one can't be told",
    en_remedy="run sacct again with SLURM_TIME_FORMAT=%s: {command}",
)
LOCAL_TIME = Complaint(
    "sacct.local-time",
    "nothing",
    ja="時刻に時差がないため、{zone}の時刻として読みました",
    ja_remedy="違う場合は連絡してください。SLURM_TIME_FORMAT=%s を付けると時差の誤りがなくなります",
    en="times come without offset and were read as local times of {zone}",
    en_remedy="tell us if that is wrong; with SLURM_TIME_FORMAT=%s there is nothing to mistake",
)
NO_STATE = Complaint(
    "sacct.no-state",
    "nothing",
    ja="State列がないため、すべてのジョブの状態をUNKNOWNとしました",
    ja_remedy=_AGAIN_JA,
    en="there is no field State; every job's state is UNKNOWN",
    en_remedy=_AGAIN_EN,
)
NO_SUBMIT = Complaint(
    "sacct.no-submit",
    "nothing",
    ja="Submit列がないため、同じジョブの再提出は開始時刻で照合します",
    ja_remedy=_AGAIN_JA,
    en="there is no field Submit; runs sent again are matched by their start time",
    en_remedy=_AGAIN_EN,
)
NO_RAW_ID = Complaint(
    "sacct.no-raw-id",
    "nothing",
    ja="JobIDRaw列がないため、配列ジョブ等をJobID(例 {cell})で識別します",
    ja_remedy="JobIDRawのある出力と混ざると二重に数えます。今後もJobIDRawを加えてください",
    en="there is no field JobIDRaw; array jobs are known by their JobID (such as {cell})",
    en_remedy="mixed with outputs that have JobIDRaw they would count twice: always send JobIDRaw",
)
MENDED = Complaint(
    "sacct.mended",
    "nothing",
    ja="ジョブ名等の区切り文字・改行で崩れた{count}行を、復元して取り込みました",
    ja_remedy="JobNameを除くか最後の列に置き、区切り文字を0x1Fにしてください：{command}",
    en="{count} rows broken by delimiters or line feeds in free text were put together again",
    en_remedy="leave JobName out or put it last, and take 0x1F as delimiter: {command}",
)

JSON_TOO_LARGE = Complaint(
    "sacct.json-too-large",
    "file",
    ja="JSONが大きすぎます({size}バイト。上限は{most}バイト)",
    ja_remedy="期間を分けて出力するか、文字の出力にしてください：{command}",
    en="the JSON is too large ({size} bytes, at most {most})",
    en_remedy="send shorter periods, or the text form: {command}",
)
JSON_DAMAGED = Complaint(
    "sacct.json-damaged",
    "file",
    ja="JSONが壊れています({line}行目の{column}文字目：{reason})",
    ja_remedy="sacct --json の出力をもう一度保存し、全体を提出し直してください",
    en="the JSON is damaged (line {line}, character {column}: {reason})",
    en_remedy="save the output of sacct --json again and send all of it",
)
JSON_UNDECODABLE = Complaint(
    "sacct.json-undecodable",
    "file",
    ja="文字コードを読めません(先頭から{offset}バイト目)",
    ja_remedy="sacct --json の出力を加工せず、UTF-8のまま提出してください",
    en="the bytes are no text (stopped at byte {offset})",
    en_remedy="send the output of sacct --json unchanged, in UTF-8",
)
JSON_NO_LIST = Complaint(
    "sacct.json-no-list",
    "file",
    ja="JSONにジョブの一覧(jobs)がありません",
    ja_remedy="sacct --json の出力全体を提出してください",
    en="the JSON holds no list of jobs",
    en_remedy="send the whole output of sacct --json",
)
JSON_VERSION = Complaint(
    "sacct.json-version",
    "nothing",
    ja="確認済みでない版の出力です({version})。知っている形として読みました",
    ja_remedy="件数とGPU数を確認してください。違いがあれば連絡してください",
    en="output of a version not checked so far ({version}); it was read as the known shape",
    en_remedy="compare the numbers of jobs and GPUs, and tell us if they differ",
)
JSON_ERRORS = Complaint(
    "sacct.json-errors",
    "nothing",
    ja="sacct自身が{count}件の誤りを報告しています。出力が欠けているおそれがあります",
    ja_remedy="JSONのerrorsを確認し、出力し直してください",
    en="sacct itself reports {count} errors in this output, which may be incomplete",
    en_remedy="look at `errors` in the JSON and run sacct again",
)
JSON_NOT_A_JOB = Complaint(
    "sacct.json-not-a-job",
    "row",
    ja="ジョブの一覧の{row}番目がジョブの形をしていません",
    ja_remedy="sacct --json の出力を加工せずに提出してください",
    en="entry {row} of the list of jobs is no job",
    en_remedy="send the output of sacct --json unchanged",
)
JSON_FIELD_MISSING = Complaint(
    "sacct.json-field-missing",
    "row",
    ja="項目がありません",
    ja_remedy="sacct --json の出力を加工せずに提出するか、文字の出力にしてください：{command}",
    en="the field is missing",
    en_remedy="send the output of sacct --json unchanged, or the text form: {command}",
)

with jobs as (

    select * from {{ ref('stg_gpu_usage__sacct_jobs') }}
    where gpu_count > 0

),

gpu_types as (

    select * from {{ ref('gpu_types') }}

),

entries as (

    select
        *,
        unnest(string_split(gres_allocated, ',')) as entry
    from jobs

),

split_entries as (

    select
        *,
        split_part(entry, '=', 1) as gres_name,
        cast(split_part(entry, '=', 2) as bigint) as gres_count
    from entries

)

select
    split_entries.job_key,
    split_entries.company_id,
    split_entries.cluster,
    split_entries.job_id,
    split_entries.state,
    split_entries.started_at,
    split_entries.counted_until,
    split_entries.ended_at is null as is_running,
    split_entries.gres_name,
    split_entries.gres_count,
    coalesce(gpu_types.gpu_type, '種別不明') as gpu_type,
    -- an unknown name counts as whole GPUs and is reported by the check on gres names
    split_entries.gres_count * coalesce(gpu_types.parts, 28) as gpu_parts,
    split_entries._arrival
from split_entries
left join gpu_types
    on lower(split_entries.gres_name) = gpu_types.gres_name
where split_entries.started_at is not null

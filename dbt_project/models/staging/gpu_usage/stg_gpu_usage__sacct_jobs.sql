with jobs as (

    select * from {{ source('landing', 'gpu_usage__sacct_jobs') }}

),

accounts as (

    select * from {{ ref('stg_programme__cluster_accounts') }}

),

organisations as (

    select * from {{ ref('stg_programme__organisations') }}

)

select
    -- an account that is mapped decides; else the sender, if it is an organisation of the register
    coalesce(accounts.organisation_id, organisations.organisation_id) as company_id,
    md5(concat_ws(
        '|', jobs._sender, jobs.cluster, jobs.job_id, cast(epoch_us(jobs.run_key) as varchar)
    )) as job_key,
    jobs.cluster,
    jobs.job_id,
    jobs.account,
    jobs.user_pseudonym,
    jobs.job_name_pseudonym,
    jobs.partition,
    jobs.state,
    jobs.exit_code,
    jobs.reason,
    jobs.submitted_at,
    jobs.eligible_at,
    jobs.started_at,
    jobs.ended_at,
    -- a job that was still running counts up to the moment its file was received
    case
        when jobs.started_at is null then null
        else coalesce(
            jobs.ended_at,
            greatest(jobs.started_at, least(jobs._received_at, {{ visible_until() }}))
        )
    end as counted_until,
    jobs.time_limit_seconds,
    jobs.node_count,
    jobs.gres_allocated,
    jobs.gpu_count,
    jobs._sender,
    jobs._arrival,
    jobs._sheet,
    jobs._line
from jobs
left join accounts
    on jobs.cluster = accounts.cluster and jobs.account = accounts.account
left join organisations
    on jobs._sender = organisations.organisation_id

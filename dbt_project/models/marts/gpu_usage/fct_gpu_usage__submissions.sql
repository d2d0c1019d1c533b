with organisations as (

    select * from {{ ref('stg_programme__organisations') }}
    where segment != 'データ利活用'

),

months as (

    select distinct cast(date_trunc('month', day) as date) as month
    from {{ source('ledger', 'calendar') }}
    where day <= {{ as_of() }}

),

-- monthly reports are due on the fifth business day of the following month
due_days as (

    select
        cast(date_trunc('month', day) - interval 1 month as date) as month,
        day as due_on
    from {{ source('ledger', 'calendar') }}
    where is_business_day
    qualify row_number() over (partition by date_trunc('month', day) order by day) = 5

),

expected as (

    select
        organisations.organisation_id as company_id,
        months.month,
        kinds.kind,
        kinds.contract,
        due_days.due_on
    from organisations
    inner join months
        on
            months.month >= date_trunc('month', organisations.support_from)
            and months.month <= organisations.support_to
    inner join due_days on months.month = due_days.month
    cross join (
        values
        ('月次利用報告（利用量）', 'gpu_usage__monthly_usage'),
        ('月次利用報告（進捗・課題・改善案）', 'gpu_usage__monthly_notes'),
        ('ジョブ実行記録', 'gpu_usage__sacct_jobs'),
        ('利用実施計画', 'gpu_usage__plans')
    ) as kinds (kind, contract)

),

received as (

    select
        _sender as company_id,
        month,
        'gpu_usage__monthly_usage' as contract,
        max(_received_at) as received_at,
        list_sort(list_distinct(list(_arrival))) as _arrivals
    from {{ source('landing', 'gpu_usage__monthly_usage') }}
    group by 1, 2
    union all
    select
        _sender as company_id,
        month,
        'gpu_usage__monthly_notes' as contract,
        max(_received_at) as received_at,
        list_sort(list_distinct(list(_arrival))) as _arrivals
    from {{ source('landing', 'gpu_usage__monthly_notes') }}
    group by 1, 2
    union all
    select
        _sender as company_id,
        month,
        'gpu_usage__plans' as contract,
        max(_received_at) as received_at,
        list_sort(list_distinct(list(_arrival))) as _arrivals
    from {{ source('landing', 'gpu_usage__plans') }}
    group by 1, 2
    union all
    select
        days.company_id,
        cast(date_trunc('month', days.usage_date) as date) as month,
        'gpu_usage__sacct_jobs' as contract,
        max(deliveries.received_at) as received_at,
        list_sort(list_distinct(list(days._arrival))) as _arrivals
    from {{ ref('int_gpu_usage__job_days') }} as days
    inner join {{ ref('fct_programme__deliveries') }} as deliveries
        on days._arrival = deliveries.arrival_id
    where days.company_id is not null
    group by 1, 2

),

open_complaints as (

    -- the newest file of a sender for a table decides whether a correction is awaited
    select
        company_id,
        contract,
        outcome in ('partial', 'refused') as is_open
    from (
        select
            *,
            unnest(contracts) as contract
        from {{ ref('fct_programme__deliveries') }}
    ) as deliveries
    where company_id is not null
    qualify row_number() over (
        partition by company_id, contract order by received_at desc, arrival_id desc
    ) = 1

)

select
    expected.company_id,
    expected.month,
    expected.kind,
    expected.due_on,
    {{ jst_day('received.received_at') }} as received_on,
    case
        when received.received_at is not null and coalesce(open_complaints.is_open, false)
            then '修正依頼中'
        when received.received_at is not null then '受領'
        when expected.due_on < {{ as_of() }} then '未着（期限超過）'
        else '未着（期限前）'
    end as status,
    coalesce(received._arrivals, []) as _arrivals
from expected
left join received
    on
        expected.company_id = received.company_id
        and expected.month = received.month
        and expected.contract = received.contract
left join open_complaints
    on
        expected.company_id = open_complaints.company_id
        and expected.contract = open_complaints.contract

with deliveries as (

    select * from {{ ref('fct_programme__deliveries') }}

),

organisations as (

    select * from {{ ref('stg_programme__organisations') }}

),

submissions as (

    select * from {{ ref('fct_gpu_usage__submissions') }}

),

unassigned as (

    select * from {{ ref('fct_gpu_usage__unassigned') }}

),

senders as (

    select
        'unknown_sender' as rule,
        '参加組織台帳にない提出者' as rule_ja,
        coalesce(sender, '(none)') as subject,
        max(company_id) as company_id,
        cast(null as date) as month,
        '3-1-a' as clause,
        'watch' as severity,
        -- the secretariat's own folder is no organisation's
        case
            when max(company_id) is not null or sender = '_secretariat' then 'clear'
            else 'found'
        end as state,
        concat(
            '提出者「', coalesce(sender, '不明'), '」から', count(*), '件のファイルが届きました。',
            case
                when max(company_id) is not null then '参加組織台帳にある組織です。'
                when sender = '_secretariat' then '事務局のものです。'
                else '参加組織台帳にない提出者です。'
            end
        ) as message_ja,
        concat(
            count(*), ' file(s) came from sender ', coalesce(sender, 'unknown'),
            case
                when max(company_id) is not null or sender = '_secretariat' then ', who is known'
                else ', who is in no register'
            end
        ) as message_en,
        '提出者を確かめ、参加組織台帳か受信箱のフォルダ名を直す。' as proposal_ja,
        'marts.fct_programme__deliveries' as relation,
        cast(json_object('sender', sender) as varchar) as match,
        {{ merged_arrivals('_arrivals') }} as arrivals
    from deliveries
    group by sender

),

newest_files as (

    -- what came last under a name decides: a repaired file is sent again under its name
    select * from deliveries
    qualify row_number() over (
        partition by file_name order by received_at desc, arrival_id desc
    ) = 1

),

unreadable as (

    select
        'unreadable_file' as rule,
        '読めないファイル' as rule_ja,
        file_name as subject,
        company_id,
        cast(null as date) as month,
        '3-1-a' as clause,
        'watch' as severity,
        case when outcome in ('unknown', 'failed', 'refused') then 'found' else 'clear' end
            as state,
        concat(
            strftime(received_on, '%Y-%m-%d'), 'に届いた「', file_name, '」は、',
            case outcome
                when 'unknown' then '形式が分からず読めませんでした。'
                when 'failed' then '読み取り中に障害が起きました。'
                when 'refused' then concat('受領できませんでした（修正のお願い ', complaint_count, '件）。')
                else concat(row_count, '行を受領しました。')
            end
        ) as message_ja,
        concat(
            file_name, ' received ', strftime(received_on, '%Y-%m-%d'), ': ',
            case outcome
                when 'unknown' then 'its format is unknown'
                when 'failed' then 'reading it failed'
                when 'refused' then concat('refused with ', complaint_count, ' complaint(s)')
                else concat(row_count, ' row(s) taken')
            end
        ) as message_en,
        case outcome
            when 'failed' then '読み取り障害の記録を技術担当が調べ、直して読み直す。'
            else '提出者に修正のお願いを送り、様式に沿ったファイルの再提出を依頼する。'
        end as proposal_ja,
        'marts.fct_programme__deliveries' as relation,
        cast(json_object('arrival_id', arrival_id) as varchar) as match,
        _arrivals as arrivals
    from newest_files

),

accounts as (

    select
        coalesce(_sender, '') as sender,
        coalesce(cluster, '') as cluster,
        coalesce(account, '') as account,
        max(company_id) as company_id,
        {{ merged_arrivals('[_arrival]') }} as _arrivals
    from {{ ref('stg_gpu_usage__sacct_jobs') }}
    where gpu_count > 0 and started_at is not null
    group by coalesce(_sender, ''), coalesce(cluster, ''), coalesce(account, '')

),

usage_owners as (

    select
        'unassigned_usage' as rule,
        '組織の分からない利用' as rule_ja,
        concat_ws('/', accounts.sender, accounts.cluster, accounts.account) as subject,
        accounts.company_id,
        cast(null as date) as month,
        '3-1-a' as clause,
        'watch' as severity,
        case when unassigned.sender is not null then 'found' else 'clear' end as state,
        case
            when unassigned.sender is not null
                then concat(
                    'クラスタ「', accounts.cluster, '」のアカウント「', accounts.account, '」の割当 ',
                    {{ figure('unassigned.allocated_gpu_hours') }},
                    ' GPU時間（', unassigned.job_count, '件）は、どの組織のものか分かりません。'
                )
            else concat(
                'クラスタ「', accounts.cluster, '」のアカウント「', accounts.account,
                '」の割当は、組織が分かっています。'
            )
        end as message_ja,
        case
            when unassigned.sender is not null
                then concat(
                    'account ', accounts.account, ' on cluster ', accounts.cluster, ': ',
                    {{ figure('unassigned.allocated_gpu_hours') }},
                    ' GPU hours belong to no organisation of the register'
                )
            else concat(
                'account ', accounts.account, ' on cluster ', accounts.cluster, ' is assigned'
            )
        end as message_en,
        'アカウントの持ち主を確かめ、計算資源アカウント対応表に加える。' as proposal_ja,
        'marts.fct_gpu_usage__unassigned' as relation,
        cast(json_object(
            'sender', accounts.sender, 'cluster', accounts.cluster, 'account', accounts.account
        ) as varchar) as match,
        coalesce(unassigned._arrivals, accounts._arrivals) as arrivals
    from accounts
    left join unassigned
        on
            accounts.sender = unassigned.sender
            and accounts.cluster = unassigned.cluster
            and accounts.account = unassigned.account

),

missing as (

    select
        case submissions.kind
            when '月次利用報告（利用量）' then 'missing_monthly_usage'
            when '月次利用報告（進捗・課題・改善案）' then 'missing_monthly_notes'
            when 'ジョブ実行記録' then 'missing_job_records'
            when '利用実施計画' then 'missing_plan'
        end as rule,
        submissions.kind || 'の未提出' as rule_ja,
        submissions.company_id || '/' || strftime(submissions.month, '%Y-%m') as subject,
        submissions.company_id,
        submissions.month,
        {{ clause_of_segment('organisations.segment', "'3-1-a'") }} as clause,
        'watch' as severity,
        case when submissions.status = '未着（期限超過）' then 'found' else 'clear' end as state,
        concat(
            organisations.name_ja, 'の', {{ month_ja('submissions.month') }}, 'の',
            submissions.kind,
            case submissions.status
                when '未着（期限超過）'
                    then
                        concat(
                            'が、期限の', strftime(submissions.due_on, '%Y-%m-%d'), 'を過ぎても届いていません。'
                        )
                when '未着（期限前）'
                    then
                        concat(
                            'の期限は', strftime(submissions.due_on, '%Y-%m-%d'), 'です。'
                        )
                else concat(
                    'は', strftime(submissions.received_on, '%Y-%m-%d'), 'に届いています。'
                )
            end
        ) as message_ja,
        concat(
            submissions.company_id, ' ', strftime(submissions.month, '%Y-%m'), ': ',
            case submissions.status
                when '未着（期限超過）'
                    then concat('missing since ', strftime(submissions.due_on, '%Y-%m-%d'))
                when '未着（期限前）'
                    then concat('due on ', strftime(submissions.due_on, '%Y-%m-%d'))
                else concat('received on ', strftime(submissions.received_on, '%Y-%m-%d'))
            end
        ) as message_en,
        concat(submissions.kind, 'の提出を依頼する。') as proposal_ja,
        'marts.fct_gpu_usage__submissions' as relation,
        cast(json_object(
            'company_id', submissions.company_id,
            'month', cast(submissions.month as varchar),
            'kind', submissions.kind
        ) as varchar) as match,
        submissions._arrivals as arrivals
    from submissions
    inner join organisations on submissions.company_id = organisations.organisation_id

)

select * from senders
union all
select * from unreadable
union all
select * from usage_owners
union all
select * from missing

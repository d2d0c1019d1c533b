{% macro rule_measures(measures_relation) -%}
{% set plan = 'marts.fct_gpu_usage__plan_months' %}
{% set telemetry = 'marts.fct_gpu_usage__telemetry_months' %}
{% set months = 'marts.fct_gpu_usage__company_months' %}
{% set reports = 'marts.fct_gpu_usage__self_reports' %}
{#- observed: the compared value; size: the GPU hours that have to reach the rule's minimum;
    coverage: percent of telemetry; at_least: the value is known only from below -#}
{% set measures = {
    'over_plan_month': {
        'observed': '100 * allocated_gpu_hours / nullif(planned_gpu_hours, 0)',
        'size': 'allocated_gpu_hours', 'relation': plan, 'arrivals': 'plan_arrivals',
    },
    'over_plan_to_date': {
        'observed': '100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_to_date, 0)',
        'size': 'allocated_gpu_hours_to_date', 'relation': plan, 'arrivals': 'plan_arrivals',
        'at_least': 'not months_known',
    },
    'over_plan_total': {
        'observed': '100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_in_all, 0)',
        'size': 'allocated_gpu_hours_to_date', 'relation': plan, 'arrivals': 'plan_arrivals',
        'at_least': 'not months_known',
    },
    'under_plan_month': {
        'observed': '100 * allocated_gpu_hours / nullif(planned_gpu_hours_so_far, 0)',
        'size': 'planned_gpu_hours_so_far', 'relation': plan, 'arrivals': 'plan_arrivals',
    },
    'under_plan_to_date': {
        'observed': 'case when months_known then 100 * allocated_gpu_hours_to_date'
            ' / nullif(planned_gpu_hours_to_date_so_far, 0) end',
        'size': 'planned_gpu_hours_to_date_so_far', 'relation': plan, 'arrivals': 'plan_arrivals',
    },
    'unplanned_use': {
        'observed': 'case when plan_version is null then null'
            ' when planned_gpu_hours > 0 then 0 else allocated_gpu_hours end',
        'size': 'null', 'relation': plan, 'arrivals': 'plan_arrivals',
    },
    'idle_in_allocation': {
        'observed': 'idle_allocated_percent', 'size': 'idle_allocated_gpu_hours',
        'relation': telemetry, 'arrivals': 'usage_arrivals',
        'coverage': 'telemetry_coverage_percent',
    },
    'idle_in_allocation_severe': {
        'observed': 'idle_allocated_percent', 'size': 'idle_allocated_gpu_hours',
        'relation': telemetry, 'arrivals': 'usage_arrivals',
        'coverage': 'telemetry_coverage_percent',
    },
    'low_sm_activity': {
        'observed': 'busy_sm_active_percent', 'size': 'busy_gpu_hours',
        'relation': telemetry, 'arrivals': 'usage_arrivals', 'coverage': 'sm_coverage_percent',
        'power': 'busy_power_percent',
    },
    'outside_contract': {
        'observed': 'case when has_contract and allocated_part_seconds is not null'
            ' then outside_contract_part_seconds / 100800.0 end',
        'size': 'null', 'relation': months, 'arrivals': 'usage_arrivals',
    },
    'outside_support': {
        'observed': 'case when support_known and allocated_part_seconds is not null'
            ' then outside_support_part_seconds / 100800.0 end',
        'size': 'null', 'relation': months, 'arrivals': 'usage_arrivals',
    },
    'self_report_differs': {
        'observed': 'difference_percent',
        'size': 'greatest(allocated_gpu_hours, reported_gpu_hours)',
        'relation': reports, 'arrivals': 'report_arrivals',
    },
    'over_capacity': {
        'observed': 'highest_day_percent', 'size': 'null',
        'relation': months, 'arrivals': 'usage_arrivals',
    },
    'low_allocation': {
        'observed': '100 * (cast(allocated_part_seconds as double)'
            ' / nullif(contracted_part_seconds, 0))',
        'size': 'contracted_part_seconds / 100800.0',
        'relation': months, 'arrivals': 'usage_arrivals',
    },
} %}
{%- for rule, measure in measures.items() %}
    select
        company_id,
        month,
        segment,
        is_partial,
        '{{ rule }}' as rule_id,
        cast({{ measure.observed }} as decimal(18, 4)) as observed,
        cast({{ measure.size }} as decimal(18, 4)) as size_gpu_hours,
        cast({{ measure.coverage | default('null') }} as decimal(18, 4)) as coverage_percent,
        cast({{ measure.power | default('null') }} as decimal(18, 4)) as power_percent,
        {{ measure.at_least | default('false') }} as is_at_least,
        '{{ measure.relation }}' as evidence_relation,
        {{ measure.arrivals }} as _arrivals
    from {{ measures_relation }}
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
{%- endmacro %}

{% macro match_of_month() -%}
    {#- the columns by which a row of a company × month table is found, as JSON text -#}
    cast(json_object('company_id', company_id, 'month', cast(month as varchar)) as varchar)
{%- endmacro %}

{% macro match_of_month() -%}
    {#- the columns by which a row of a company × month table is found, as JSON text -#}
    cast(json_object('company_id', company_id, 'month', cast(month as varchar)) as varchar)
{%- endmacro %}

{% macro clause_of_segment(segment, clause) -%}
    {#- the same duty stands in another clause for each segment -#}
    case {{ segment }}
        when 'ロボット基盤モデル開発' then '3-3-a'
        when '懸賞（学生計算資源）' then '3-7-3'
        else {{ clause }}
    end
{%- endmacro %}

{% macro month_ja(month) -%}
    concat(year({{ month }}), '年', month({{ month }}), '月')
{%- endmacro %}

{% macro figure(value, decimals=1) -%}
    {#- as sentences print a number; null stays null -#}
    format('{:,.{{ decimals }}f}', cast({{ value }} as double))
{%- endmacro %}

{% macro rule_measure(
    rule_id, observed, lacking, evidence,
    size='null', coverage='null', power='null', is_at_least='false', arrivals='usage_arrivals',
    covered_ja='テレメトリ'
) -%}
    {#- one select a rule. observed: the compared value; lacking: in words, what it lacks when it is
        null; size: what has to reach the rule's minimum; coverage: percent of what `covered_ja`
        names; is_at_least: the value is known only from below; evidence: the mart it came from -#}
    select
        company_id,
        month,
        segment,
        is_partial,
        '{{ rule_id }}' as rule_id,
        cast({{ observed }} as decimal(18, 4)) as observed,
        cast({{ size }} as decimal(18, 4)) as size_gpu_hours,
        cast({{ coverage }} as decimal(18, 4)) as coverage_percent,
        cast({{ power }} as decimal(18, 4)) as power_percent,
        {{ is_at_least }} as is_at_least,
        'marts.{{ evidence }}' as evidence_relation,
        {{ arrivals }} as _arrivals,
        {{ lacking }} as lacking_ja,
        '{{ covered_ja }}' as covered_ja
    from measures
{%- endmacro %}

{% macro undecided_because() -%}
    {#- why a rule could not be judged; in the order in which the state is decided -#}
    case
        when is_below_floor and coverage_percent is null
            then concat(covered_ja, 'が届いていない')
        when is_below_floor
            then concat(
                covered_ja, 'の網羅率', {{ figure('coverage_percent') }}, '% < 下限',
                {{ figure('coverage_floor_percent', 0) }}, '%'
            )
        when is_beyond is null then lacking_ja
        when is_beyond then '電力の記録がない'
        when is_at_least then '記録のない月があり、累計が下限しか分からない'
    end
{%- endmacro %}

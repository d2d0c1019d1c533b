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

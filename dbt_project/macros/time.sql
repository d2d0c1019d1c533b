{% macro as_of() -%}
    {#- read from the night's own table: a variable would make dbt parse the project anew -#}
    (select as_of from {{ source('ledger', 'night') }})
{%- endmacro %}

{% macro visible_until() -%}
    (select visible_until from {{ source('ledger', 'night') }})
{%- endmacro %}

{% macro jst(instant) -%}
    {#- wall-clock time in Japan of an instant -#}
    timezone('Asia/Tokyo', {{ instant }})
{%- endmacro %}

{% macro jst_day(instant) -%}
    cast(timezone('Asia/Tokyo', {{ instant }}) as date)
{%- endmacro %}

{% macro jst_midnight(day) -%}
    {#- the instant at which a day begins in Japan -#}
    timezone('Asia/Tokyo', cast({{ day }} as timestamp))
{%- endmacro %}

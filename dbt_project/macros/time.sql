{% macro as_of() -%}
    cast('{{ var("as_of") }}' as date)
{%- endmacro %}

{% macro visible_until() -%}
    cast('{{ var("visible_until") }}' as timestamptz)
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

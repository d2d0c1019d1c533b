{% macro gpu_hours(part_seconds) -%}
    {#- GPU-hours from 1/28-GPU seconds; the sums before it are exact integers, this comes last -#}
    cast({{ part_seconds }} / 100800.0 as decimal(18, 4))
{%- endmacro %}

{% macro percent(part, whole) -%}
    {#- of exact integers, taken last; null where either is missing or the whole is 0 -#}
    cast(100 * (cast({{ part }} as double) / nullif({{ whole }}, 0)) as decimal(18, 4))
{%- endmacro %}

{% macro kwh(millijoules) -%}
    cast({{ millijoules }} / 3600000000.0 as decimal(18, 4))
{%- endmacro %}

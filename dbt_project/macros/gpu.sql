{% macro gpu_hours(part_seconds) -%}
    {#- GPU-hours from 1/28-GPU seconds; the sums before it are exact integers, this comes last -#}
    cast({{ part_seconds }} / 100800.0 as decimal(18, 4))
{%- endmacro %}

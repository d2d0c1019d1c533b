{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- schemas are named for their layer alone: readers need not know the target -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{% macro merged_arrivals(column="_arrivals") -%}
    {#- which arrivals a row of an aggregate rests on, sorted so that the bytes are the same -#}
    list_sort(list_distinct(flatten(list({{ column }}))))
{%- endmacro %}

{% macro declare_audiences() -%}
    {#- who may see which mart, row and column, out of the YAML beside the marts: two tables that
        stand in the warehouse before any mart does. Marts that declare nothing are in neither -#}
    {%- set marts, columns = [], [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.schema == 'marts' -%}
            {%- for audience in node.config.meta.get('audiences', []) -%}
                {%- do marts.append(
                    [node.name, audience, node.config.meta.get('rows_leave')]
                ) -%}
            {%- endfor -%}
            {%- for column in node.columns.values() -%}
                {%- set meta = column.config.meta -%}
                {%- if meta and 'leaves' in meta -%}
                    {%- do columns.append(
                        [node.name, column.name, meta['leaves'], meta.get('otherwise')]
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    create schema if not exists audience;
    create or replace table audience.marts
        (mart varchar, audience varchar, rows_leave varchar);
    create or replace table audience.columns
        (mart varchar, column_name varchar, leaves varchar, otherwise varchar);
    {{ inserted('audience.marts', marts) }}
    {{ inserted('audience.columns', columns) }}
{%- endmacro %}

{% macro inserted(relation, table) -%}
    {#- a statement that inserts rows of text, sorted; none becomes null, no rows no statement -#}
    {%- set lines = [] -%}
    {%- for row in table -%}
        {%- set cells = [] -%}
        {%- for cell in row -%}
            {%- do cells.append(
                'null' if cell is none else "'" ~ (cell | replace("'", "''")) ~ "'"
            ) -%}
        {%- endfor -%}
        {%- do lines.append('(' ~ cells | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- if lines -%} insert into {{ relation }} values {{ lines | sort | join(', ') }}; {%- endif -%}
{%- endmacro %}

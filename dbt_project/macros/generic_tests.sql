{% test unique_together(model, columns) %}
    select {{ columns | join(', ') }}, count(*) as rows_found
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}

{% test not_negative(model, column_name) %}
    select * from {{ model }} where {{ column_name }} < 0
{% endtest %}

{% test not_unknown_type(model, column_name) %}
    select * from {{ model }} where {{ column_name }} = '種別不明'
{% endtest %}

{# rows where the condition is missing are no fault #}
{% test holds(model, condition) %}
    select * from {{ model }} where not ({{ condition }})
{% endtest %}

{% test one_value(model, column_name) %}
    select count(distinct {{ column_name }}) as values_found
    from {{ model }}
    having count(distinct {{ column_name }}) > 1
{% endtest %}

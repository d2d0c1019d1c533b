-- laid here for its contract and documentation; geniac_pipelines.gpu_usage.forecast fills it
select
    cast(null as varchar) as company_id,
    cast(null as date) as month,
    cast(null as bigint) as plan_version,
    cast(null as date) as plan_ends_on,
    cast(null as date) as observed_until,
    cast(null as bigint) as observed_days,
    cast(null as bigint) as missing_days,
    cast(null as decimal(18, 1)) as planned_gpu_hours,
    cast(null as decimal(18, 1)) as planned_gpu_hours_to_date,
    cast(null as decimal(18, 1)) as actual_gpu_hours,
    cast(null as decimal(18, 1)) as forecast_gpu_hours,
    cast(null as decimal(18, 1)) as low_gpu_hours,
    cast(null as decimal(18, 1)) as high_gpu_hours,
    cast(null as decimal(18, 1)) as forecast_percent,
    cast(null as varchar) as verdict,
    cast(null as varchar) as reason,
    cast(null as varchar) as method,
    cast(null as bigint) as level_percent,
    cast(null as bigint) as seed,
    cast(null as varchar[]) as _arrivals
where false

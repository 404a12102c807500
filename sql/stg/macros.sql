-- title: what the rows of a tenant do not say themselves, and reading dates that providers write as text
-- A date is ten characters; a timestamp without an offset is UTC; anything else is null.
CREATE OR REPLACE TEMP MACRO home_currency() AS CAST(getvariable('currency') AS VARCHAR);
CREATE OR REPLACE TEMP MACRO fetch_day() AS CAST(getvariable('fetched_on') AS DATE);
CREATE OR REPLACE TEMP MACRO given(written) AS
    CASE WHEN written = '' OR starts_with(written, '0001-01-01') THEN NULL ELSE written END;
CREATE OR REPLACE TEMP MACRO moment(written) AS
    CASE
        WHEN regexp_full_match(
            written, '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?'
        ) THEN try_cast(written AS TIMESTAMPTZ)
    END;
CREATE OR REPLACE TEMP MACRO plain_date(written) AS
    CASE WHEN regexp_full_match(written, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN try_cast(written AS DATE) END;
CREATE OR REPLACE TEMP MACRO civil(written) AS
    CASE
        WHEN length(given(written)) = 10 THEN plain_date(written)
        ELSE CAST(timezone(getvariable('timezone'), moment(given(written))) AS DATE)
    END;
-- A timestamp at exactly 00:00:00 UTC is a plain date and is not converted.
CREATE OR REPLACE TEMP MACRO civil_or_midnight(written) AS
    CASE
        WHEN moment(given(written)) = date_trunc('day', moment(given(written)))
        THEN CAST(timezone('UTC', moment(given(written))) AS DATE)
        ELSE civil(written)
    END;
-- Name of the column if its text is there and is no date.
CREATE OR REPLACE TEMP MACRO unread(name, written, parsed) AS
    CASE WHEN given(written) IS NOT NULL AND parsed IS NULL THEN name END;
-- A word that none of ours stands for, with the field it stands in; null where there is no word or ours is known.
CREATE OR REPLACE TEMP MACRO unknown_word(field, written, ours) AS
    CASE WHEN nullif(written, '') IS NOT NULL AND ours IS NULL THEN struct_pack("name" := field, "value" := written) END;
-- What a rule may promise: null where it is less than nothing, has more than fifteen digits, or is a typing error.
CREATE OR REPLACE TEMP MACRO sound_amount(units) AS CASE WHEN units BETWEEN 0 AND 999999999999999 THEN units END;
CREATE OR REPLACE TEMP MACRO sound_day(civil_day) AS
    CASE WHEN civil_day BETWEEN DATE '1900-01-01' AND DATE '2999-12-31' THEN civil_day END;

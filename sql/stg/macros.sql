-- title: what the rows of a tenant do not say themselves, and reading dates that providers write as text
-- A date is ten characters; a timestamp without an offset is UTC; anything else, and any day before 1900 or after 2999, is null.
CREATE OR REPLACE TEMP MACRO home_currency() AS CAST(getvariable('currency') AS VARCHAR);
CREATE OR REPLACE TEMP MACRO fetch_day() AS CAST(getvariable('fetched_on') AS DATE);
CREATE OR REPLACE TEMP MACRO given(written) AS
    CASE WHEN written = '' OR starts_with(written, '0001-01-01') THEN NULL ELSE written END;
-- Both spellings of RFC 3339 are read; a leap second is still the second before it, digits beyond microseconds are cut.
CREATE OR REPLACE TEMP MACRO moment(written) AS
    CASE
        WHEN regexp_full_match(
            upper(written),
            '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?'
        ) THEN
            try_cast(
                regexp_replace(regexp_replace(upper(written), '(:[0-9]{2}):60', '\1:59'), '(\.[0-9]{6})[0-9]+', '\1')
                AS TIMESTAMPTZ
            )
    END;
CREATE OR REPLACE TEMP MACRO plain_date(written) AS
    CASE WHEN regexp_full_match(written, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN try_cast(written AS DATE) END;
-- A day outside the years that plans are made in is a typing error, whichever field it stands in.
CREATE OR REPLACE TEMP MACRO sound_day(civil_day) AS
    CASE WHEN civil_day BETWEEN DATE '1900-01-01' AND DATE '2999-12-31' THEN civil_day END;
CREATE OR REPLACE TEMP MACRO civil(written) AS
    sound_day(
        CASE
            WHEN length(given(written)) = 10 THEN plain_date(written)
            ELSE CAST(timezone(getvariable('timezone'), moment(given(written))) AS DATE)
        END
    );
-- A timestamp at exactly 00:00:00 UTC is a plain date and is not converted.
CREATE OR REPLACE TEMP MACRO civil_or_midnight(written) AS
    CASE
        WHEN moment(given(written)) = date_trunc('day', moment(given(written)))
        THEN sound_day(CAST(timezone('UTC', moment(given(written))) AS DATE))
        ELSE civil(written)
    END;
-- The moment a text tells; null where it is a plain date, or outside the years of plans.
CREATE OR REPLACE TEMP MACRO timed(written) AS
    CASE
        WHEN length(given(written)) <> 10
            AND moment(given(written)) BETWEEN TIMESTAMPTZ '1899-12-31 00:00:00+00' AND TIMESTAMPTZ '3000-01-02 00:00:00+00'
        THEN moment(given(written))
    END;
CREATE OR REPLACE TEMP MACRO timed_unless_midnight(written) AS
    CASE WHEN timed(written) <> date_trunc('day', timed(written)) THEN timed(written) END;
-- What is wrong with a text that is there and gave no day: a code and the name of the column.
CREATE OR REPLACE TEMP MACRO unread(name, written, parsed) AS
    CASE
        WHEN given(written) IS NOT NULL AND parsed IS NULL
        THEN CASE WHEN coalesce(plain_date(written)::TIMESTAMPTZ, moment(written)) IS NULL THEN 'BAD_DATE ' ELSE 'OUT_OF_RANGE ' END || name
    END;
-- A currency code as providers write it.
CREATE OR REPLACE TEMP MACRO iso(written) AS nullif(upper(trim(written)), '');
-- A word that none of ours stands for, with the field it stands in; null where there is no word or ours is known.
CREATE OR REPLACE TEMP MACRO unknown_word(field, written, ours) AS
    CASE WHEN nullif(written, '') IS NOT NULL AND ours IS NULL THEN struct_pack("name" := field, "value" := written) END;
-- What a rule may promise: null where it is less than nothing or has more than fifteen digits.
CREATE OR REPLACE TEMP MACRO sound_amount(units) AS CASE WHEN units BETWEEN 0 AND 999999999999999 THEN units END;

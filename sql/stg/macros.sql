-- title: what the rows of a tenant do not say themselves, and reading dates that providers write as text
-- A date is ten characters; a timestamp without an offset is UTC; anything else, and any day before 1900 or after 2999, is null.
CREATE OR REPLACE TEMP MACRO home_currency() AS CAST(getvariable('currency') AS VARCHAR);
CREATE OR REPLACE TEMP MACRO fetch_day() AS CAST(getvariable('fetched_on') AS DATE);
CREATE OR REPLACE TEMP MACRO given(written) AS
    CASE WHEN written = '' OR starts_with(written, '0001-01-01') THEN NULL ELSE written END;
-- What a macro repeats is planned again each time, and planning is most of what a quiet day's load costs: each of these
-- names its argument as seldom as it can. A text like '0001-01-01' needs no care where days outside the years of plans are null.
-- Both spellings of RFC 3339 are read; a leap second is still the second before it, digits beyond microseconds are cut.
CREATE OR REPLACE TEMP MACRO moment(written) AS
    CASE
        WHEN regexp_full_match(
            written,
            '[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?'
        ) THEN try_cast(regexp_replace(upper(written), '(:[0-9]{2}):60', '\1:59') AS TIMESTAMPTZ)
    END;
CREATE OR REPLACE TEMP MACRO plain_date(written) AS
    CASE WHEN regexp_full_match(written, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN try_cast(written AS DATE) END;
-- A day outside the years that plans are made in is a typing error, whichever field it stands in. Days are counted from
-- 1900-01-01, then back from the last of the 401767 there are: a count below zero fits no unsigned number and is null.
CREATE OR REPLACE TEMP MACRO sound_day(civil_day) AS
    DATE '2999-12-31'
    - CAST(try_cast(401766 - CAST(try_cast(civil_day - DATE '1900-01-01' AS UINTEGER) AS BIGINT) AS UINTEGER) AS INTEGER);
CREATE OR REPLACE TEMP MACRO civil(written) AS
    sound_day(
        CASE
            WHEN length(written) = 10 THEN plain_date(written)
            ELSE CAST(timezone(getvariable('timezone'), moment(written)) AS DATE)
        END
    );
-- A timestamp at exactly 00:00:00 UTC is a plain date and is not converted.
CREATE OR REPLACE TEMP MACRO is_midnight(instant) AS instant = date_trunc('day', instant);
CREATE OR REPLACE TEMP MACRO civil_or_midnight(written) AS
    sound_day(
        CASE
            WHEN length(written) = 10 THEN plain_date(written)
            WHEN is_midnight(moment(written)) THEN CAST(timezone('UTC', moment(written)) AS DATE)
            ELSE CAST(timezone(getvariable('timezone'), moment(written)) AS DATE)
        END
    );
-- The moment a text tells; null where it is a plain date, or outside the years of plans.
CREATE OR REPLACE TEMP MACRO timed(written) AS
    CASE
        WHEN moment(written) BETWEEN TIMESTAMPTZ '1899-12-31 00:00:00+00' AND TIMESTAMPTZ '3000-01-02 00:00:00+00'
        THEN moment(written)
    END;
CREATE OR REPLACE TEMP MACRO timed_unless_midnight(written) AS
    CASE WHEN NOT is_midnight(moment(written)) THEN timed(written) END;
-- Several texts of a row, each read once: its civil day, its moment unless it is a plain date, and the code of what is wrong
-- with one that is there and gave no day. They are planned once, however many they are.
CREATE OR REPLACE TEMP MACRO instants(texts) AS
    list_transform(
        texts,
        lambda written: struct_pack(
            "text" := given(written),
            instant := CASE
                WHEN regexp_full_match(
                    written,
                    '[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?'
                ) THEN coalesce(
                    try_cast(written AS TIMESTAMPTZ),
                    try_cast(regexp_replace(upper(written), '(:[0-9]{2}):60', '\1:59') AS TIMESTAMPTZ)
                )
            END
        )
    );
CREATE OR REPLACE TEMP MACRO zoned_day(instant, is_plain) AS
    sound_day(
        CASE WHEN is_plain THEN CAST(timezone('UTC', instant) AS DATE)
        ELSE CAST(timezone(getvariable('timezone'), instant) AS DATE)
        END
    );
CREATE OR REPLACE TEMP MACRO judged(days) AS
    list_transform(
        days,
        lambda each: struct_pack(
            "day" := each.day,
            moment := CASE
                WHEN NOT each.is_plain
                    AND each.instant BETWEEN TIMESTAMPTZ '1899-12-31 00:00:00+00' AND TIMESTAMPTZ '3000-01-02 00:00:00+00'
                THEN each.instant
            END,
            fault := CASE
                WHEN each.day IS NULL AND each.text IS NOT NULL
                THEN CASE WHEN each.instant IS NULL THEN 'BAD_DATE ' ELSE 'OUT_OF_RANGE ' END
            END
        )
    );
CREATE OR REPLACE TEMP MACRO days(texts) AS
    judged(
        list_transform(
            instants(texts),
            lambda each: struct_pack(
                "text" := each.text,
                instant := each.instant,
                is_plain := length(each.text) = 10,
                "day" := zoned_day(each.instant, length(each.text) = 10)
            )
        )
    );
CREATE OR REPLACE TEMP MACRO days_or_midnights(texts) AS
    judged(
        list_transform(
            instants(texts),
            lambda each: struct_pack(
                "text" := each.text,
                instant := each.instant,
                is_plain := is_midnight(each.instant),
                "day" := zoned_day(each.instant, is_midnight(each.instant))
            )
        )
    );
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

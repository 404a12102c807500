-- title: one run that ended
-- grain: one row
-- source: the run as JSON values
INSERT INTO meta.runs BY NAME
SELECT
    $run_no AS run_no,
    $run_id AS run_id,
    $run_key AS run_key,
    CAST($as_of AS DATE) AS as_of,
    $known_load AS known_load,
    CAST($known_at AS TIMESTAMPTZ) AS known_at,
    CAST($started_at AS TIMESTAMPTZ) AS started_at,
    CAST($ended_at AS TIMESTAMPTZ) AS ended_at,
    $state AS state,
    $reason AS reason,
    $folder AS folder,
    $exit_code AS exit_code,
    $moves_breaks AS moves_breaks,
    CAST($summary AS JSON) AS summary

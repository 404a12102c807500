"""The only room that imports Prefect, reads the environment or asks the time."""

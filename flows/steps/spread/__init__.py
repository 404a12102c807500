"""The parts of the computation in this process, or on the workers of a Dask cluster; the results are the same."""

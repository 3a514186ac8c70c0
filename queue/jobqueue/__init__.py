"""The job queue: jobs in the database one has, claimed one at a time."""

"""What the queue tells others, always after the commit that made it true.

A receiver gets ``using``, the alias of the database, beside the arguments named here.
"""

from django.dispatch import Signal

# A job became claimable, or will at its `run_at`: job_id, job_type, machine_type.
job_ready = Signal()

# Somebody wants a job in `processing` to end; whoever holds the claim decides: job_id, claimed_by.
cancel_requested = Signal()

# A job reached a final status: job_id, status.
job_finished = Signal()

"""The pages and the live feed: what a person sees of machines, and sends to them."""

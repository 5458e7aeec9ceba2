"""The pages of the city that are no record: home, cities, numbers, reports and submissions.

Beside them `operators`, for those who run the node and those who crawl it: health, readiness, metrics, runs, sitemaps.
What readers send is taken bounded and shown to nobody until a person has read it.
"""

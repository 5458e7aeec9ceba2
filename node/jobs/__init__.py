"""What happens without being asked for: the processes of a node, its timetable, its rounds among other cities.

`supervisor` keeps web processes and one worker alive and stops them together; `worker` harvests by the timetable and
`federation` meets other cities, each under a lease in the database, so that two workers never do one thing twice. This
room may read the clock and start processes; what a job does is written in `catalog` and `federation`.
"""

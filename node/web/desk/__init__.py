"""The desk: where the city's own staff works. One module an area, all of them on one frame.

    frame       who asks, may they, is the form ours, what is written down, how the page is framed
    areas       the areas put together

Everything here is for somebody who signed in; nothing is kept by a cache or read by another origin. What an act does is
done by an office behind a port, the same that the staff's API and the command line ask.
"""

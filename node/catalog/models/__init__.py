"""City models: what a file with a 3D model of a city says of itself, and the records that are kept of it.

The inspectors: `facts` is what is found, `inspect` the one door; the formats (`cityjson`, `cityjsonseq`, `citygml`,
`tiles3d`) are read in a child process with limits (`child`, `opening`), since the bytes are strangers'. They touch the
files they are handed and pyproj's own data: no database, no network, no clock but for deadlines. The keepers (`keeper`,
`rounds`, `fetching`, `telling`) find the files of our datasets, have them fetched and read, and publish what was found.
"""

"""From values to what people read, in three languages: words, texts with their marked fallback, labels, dates.

Pure: no request, no port, no clock. `words` holds the gettext catalogues, `text` picks the reader's language, `graph`
looks into a record's statements.
"""

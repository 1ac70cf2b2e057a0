"""The marks on the site's pages that its script, and tests in a browser, go by. They stay as they are.

    data-theme-switch          the button between light and dark; `aria-pressed` says whether it is dark
    html[data-theme]           `light` or `dark`, once the reader chose; the system decides without it
    figure[data-chart=NAME]    a chart; `data-drawn="true"` once it is drawn, the class `broken` if it could not be
      [data-plot]              where it is drawn: role `img`, with its text in `aria-label`
      script[data-spec]        its Vega-Lite document
    table[data-table]          one whose rows sort: `th[data-sort]` of `text`, `number` or `version` gets a button, and
                               `aria-sort` once sorted; `td[data-value]` is what a cell sorts by, else its text
    table[data-matrix]         configs by machines, on the overview
    input[data-filter=ID]      shows the rows of table ID that have all its words; the count is in the element `data-told`
    input[data-search=FILE]    searches all records, on lists/index.html; results are links in the list `data-results`
    [data-record-id]           on a record's page, its id
    [data-change=CERTAINTY]    on a history's page, a change: `confirmed` or `suspected`
    li[data-event=WHAT]        on changes.html: `confirmed`, `suspected`, `withdrawn`, `remark` or `records`
    .status-WORD, .verdict-WORD   a record's status, or `withdrawn` and `imported`; a comparison's verdict

Landmarks are `header`, `nav` (each with a name), `main#content` and `footer`; the first link, `.skip`, leads to the content.
"""

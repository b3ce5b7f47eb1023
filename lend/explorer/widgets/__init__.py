"""What the user sees and does in a notebook: the page, its maps and panels, and the notice where there are no maps.

It needs the packages of ``lend[notebooks]``: nothing is imported before a page is first shown. The entry points are
``page.Page`` and ``notice.Notice``; a panel calls back and knows no other, ``page`` keeps all in step.
"""

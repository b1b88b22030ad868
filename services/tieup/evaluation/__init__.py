"""How well tieup does, measured by anyone: articles through the whole of it in memory, and labels against gold.

archive ─▶ backtest ─▶ lines ─┐
                     gold ────┴─▶ align ─▶ evaluate ─▶ scores (and differences, to read)
"""

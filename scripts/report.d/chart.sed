# chart.sed - what gnuplot draws becomes part of a page: its own head, ids and titles go, and colours become classes of page.css.
1,/<g id="gnuplot_canvas">/d
/<defs>/,/<\/defs>/d
/<rect .*fill="none"\/>/d
/<\/svg>/d
/^$/d
s/ id="gnuplot_plot_[0-9a-z]*" *//
s/<title>gnuplot_plot_[0-9a-z]*<\/title>//
s/ class="gridline"//
s/ font-family="sans-serif"//
s/ stroke-linecap="butt" stroke-linejoin="miter"//
s/xlink:href=/href=/
s/\(stroke\|color\|fill\)=\(['"]\)rgb( *1, *1, *\([0-9]\))['"]/class="c\3"/g
s/ \(stroke\|fill\)=\(['"'"']black['"]\|"rgb(0,0,0)"\)/ \1="currentColor"/g
s/ color="[a-z]*"//g
s/<text><\/text>//

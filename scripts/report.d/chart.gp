# chart.gp - rows and duration of the loads in points, over time, as SVG.  Variables: points (a file of tab-separated n, time,
# read, changed, seconds, failed), size (broad or narrow).  No text of a log gets in here; colours are names for chart.sed.
broad = size eq 'broad'
width = broad ? 880 : 340
height = broad ? 300 : 290
left = broad ? 58 : 46
set terminal svg size width, height dynamic noenhanced font "sans-serif,12"
set datafile separator "\t"
read = '#010101'; changed = '#010102'; lasted = '#010103'; failed = '#010104'; grid = '#010105'
set border 1 lc rgb grid
set tics nomirror out scale 0.4
set xtics scale 0.4
set ytics scale 0
set grid ytics lt 1 lw 1 lc rgb grid
unset key

stats points using 2 nooutput name 'T'
stats points using ($3 > $4 ? $3 : $4) nooutput name 'R'
stats points using 5 nooutput name 'S'
set xdata time
set timefmt '%s'
span = T_max - T_min
pad = span > 0 ? span * 0.03 : 43200
set xrange [T_min - pad : T_max + pad]
across = broad ? 8 : 4
step = 3600
do for [s in "7200 10800 21600 43200 86400 172800 345600 604800 1209600 2592000 7776000 15552000 31536000 63072000 157680000"] {
	if ((span + 2 * pad) / step > across) { step = int(s) }
}
set xtics step
set format x (step < 86400 ? (broad ? "%d %b %H:%M" : "%d %H:%M") : step < 2592000 ? "%d %b" : "%b %Y")

# Rows go from none to millions: a scale of powers of ten, with none below one.
row(n) = n < 1 ? 0.5 : n
set multiplot
set lmargin at screen left / real(width)
set rmargin at screen 1 - 12.0 / width
set tmargin at screen 1 - 26.0 / height
set bmargin at screen 0.45
set logscale y 10
top = R_max < 10 ? 10 : R_max * 1.6
set yrange [0.5 : top]
every = top > 1e5 ? 100 : 10
set ytics ("0" 0.5, "10" 10, "100" 100, "1k" 1e3, "10k" 1e4, "100k" 1e5, "1M" 1e6, "10M" 1e7, "100M" 1e8, "1G" 1e9)
if (every == 100) { set ytics ("0" 0.5, "100" 100, "10k" 1e4, "1M" 1e6, "100M" 1e8, "10G" 1e10) }
set format x ""
set label 1 "rows" at screen 2.0 / width, screen 1 - 11.0 / height left
thick = T_records > 120 ? 1.5 : (broad ? 4 : 2.5)
dot = T_records > 120 ? 0.3 : 0.5
plot points using 2:($6 > 0 ? NaN : row($4)) with impulses lw thick lc rgb changed, \
     '' using 2:($6 > 0 ? NaN : row($3)) with points pt 7 ps dot lc rgb read, \
     '' using 2:($6 > 0 ? 0.75 : NaN) with points pt 2 lw 2 ps 0.6 lc rgb failed
unset logscale y
set format x (step < 86400 ? (broad ? "%d %b %H:%M" : "%d %H:%M") : step < 2592000 ? "%d %b" : "%b %Y")
set tmargin at screen 0.34
set bmargin at screen 30.0 / height
unit = S_max < 180 ? 1 : S_max < 10800 ? 60 : 3600
set label 1 (unit == 1 ? "seconds" : unit == 60 ? "minutes" : "hours") at screen 2.0 / width, screen 0.385 left
set yrange [0 : (S_max > 0 ? S_max / unit * 1.15 : 1)]
most = S_max > 0 ? S_max / unit * 1.15 : 1.0
mag = 10.0 ** floor(log10(most / 2))
tick = most / mag >= 10 ? 5 * mag : most / mag >= 4 ? 2 * mag : mag
set ytics 0, tick
set format y "%g"
plot points using 2:($5 / unit) with impulses lw thick lc rgb lasted, \
     '' using 2:($6 > 0 ? $5 / unit : NaN) with points pt 2 lw 2 ps 0.6 lc rgb failed
unset multiplot

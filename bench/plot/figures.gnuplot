# Draws build/plot/*.tsv into docs/*.svg. The colours are readable on light and dark pages.
set terminal svg noenhanced size 640,360 font 'sans-serif,14' linewidth 1.5
grey = '#808080'
ours = '#2f81f7'
theirs = '#d9730d'
set border 3 linecolor rgb grey
set tics nomirror textcolor rgb grey
set key above maxcols 1 textcolor rgb grey
set grid linecolor rgb '#80808040'
set datafile separator "\t"
set style line 1 linecolor rgb ours pointtype 7 pointsize 0.6
set style line 2 linecolor rgb theirs pointtype 7 pointsize 0.6
set format y "%.0f"

set output 'docs/tick.svg'
set logscale xy
set xlabel 'users' textcolor rgb grey
set ylabel 'milliseconds for a tick, 900 due' textcolor rgb grey
set xrange [8000:1300000]
set xtics ('10,000' 10000, '100,000' 100000, '1,000,000' 1000000)
plot 'build/plot/tick.tsv' using 1:3 with linespoints linestyle 2 title 'a scan of all users each minute', \
     '' using 1:2 with linespoints linestyle 1 title 'companion'

set output 'docs/batches.svg'
unset logscale y
set xrange [0.9:230]
set yrange [0:*]
set xtics (1, 2, 5, 10, 20, 50, 100, 200)
set xlabel 'messages in a batch' textcolor rgb grey
set ylabel 'messages a second, 4 connections' textcolor rgb grey
plot 'build/plot/batches.tsv' using 1:3 with linespoints linestyle 2 title 'by hand on a lean queue', \
     '' using 1:2 with linespoints linestyle 1 title 'companion'

set output 'docs/latency.svg'
unset logscale
set xrange [0:*]
set xtics autofreq
set xlabel 'seconds from due to claimed' textcolor rgb grey
set ylabel 'messages claimed of 100,000' textcolor rgb grey
plot 'build/plot/latency.tsv' index 0 with lines linestyle 2 title 'dispatch(), one transaction', \
     '' index 1 with lines linestyle 1 title 'run_dispatch(), in batches'

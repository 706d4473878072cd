# Samples of one subject (see measure.sh) to rows of the report: medians over the rounds.
{
    figure = $1
    if (!(figure in rounds))
        figures[++count] = figure
    round = ++rounds[figure]
    unit[figure] = $2
    ours[figure, round] = $3
    peer[figure, round] = $4
    ratio[figure, round] = $4 == 0 ? 0 : $3 / $4
    target[figure] = $5
}

function median(values, figure,    n, i, j, swap, sorted) {
    n = rounds[figure]
    for (i = 1; i <= n; i++) {
        sorted[i] = values[figure, i] + 0
        for (j = i; j > 1 && sorted[j - 1] > sorted[j]; j--) {
            swap = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = swap
        }
    }
    return (sorted[int((n + 1) / 2)] + sorted[int(n / 2) + 1]) / 2
}

# Three significant digits, never an exponent
function number(value) {
    return value >= 100 ? sprintf("%.0f", value) : sprintf("%.3g", value)
}

function verdict(ratio, target,    parts) {
    if (split(target, parts, " ") < 2)
        return ""
    return (parts[1] == ">=" ? ratio >= parts[2] : ratio <= parts[2]) ? "ok" : "missed"
}

END {
    for (i = 1; i <= count; i++) {
        figure = figures[i]
        result = median(ratio, figure)
        printf row_format, figure, number(median(ours, figure)) " " unit[figure],
            number(median(peer, figure)) " " unit[figure], number(result), target[figure],
            verdict(result, target[figure])
    }
}

# SPDX-License-Identifier: MIT
# table.awk HOST.tsv...: what pk-host-probe printed on each host, as Markdown: a column for each host.
BEGIN {
    FS = "\t"
    title["root"] = "1 root, hybrid"
    title["user"] = "2 user, no cgroup"
    title["pid1"] = "3 pid 1"
    title["cgroup2"] = "4 root, pure v2"
    title["unit"] = "5 user's unit"
    title["session"] = "6 login session"
}

FNR == 1 {
    host = FILENAME
    sub(/.*\//, "", host)
    sub(/\.tsv$/, "", host)
    hosts[++columns] = host
}

NF >= 3 {
    label = $2
    prefix = sub(/^with limits: /, "", label) ? "with limits: " : ""
    if (label ~ /^(kill|destroy|owner killed)$/)
        collect(prefix "survivors of `kill()`, destruction, SIGKILL of the owner", survivors($3))
    else if (label ~ /^(CPU time|memory|peak memory|processes|peak processes|I\/O)$/)
        collect(prefix "statistics", $3 == "yes" ? (label == "CPU time" ? "CPU" : label) : "")
    else if (label == "statistics")
        collect(prefix label, "-")
    else if (sub(/^limit: /, "", label))
        collectLimit(label, $3 == "yes", $4)
    else if (label ~ /^(suspend|resume)$/)
        collect("suspended, resumed", $3)
    else if (label == "kernel")
        collect(label, substr($3, 1, match($3 "-", "-") - 1))
    else if (label == "cgroup" && $3 != "")
        collect(label, "`" $3 "`")
    else
        collect(prefix label, $3)
}

END {
    printTable(1)
    print ""
    printTable(0)
}

# "0 of 28": 0; where there was no tree, a dash
function survivors(figure)
{
    return figure ~ / of / ? substr(figure, 1, index(figure, " ") - 1) : "-"
}

# all limits of a host have the same source of controllers
function collectLimit(label, isThere, source)
{
    collect("limits", isThere ? label : "")
    collect("controllers from", isThere && !(host in sourceOf) ? sourceOf[host] = source : "")
}

function collect(label, text,    row)
{
    row = $1 FS label
    if (!(row in known)) {
        known[row] = 1
        rows[++count] = row
    }
    tried[row, host] = 1
    if (text != "")
        cell[row, host] = cell[row, host] (cell[row, host] == "" ? "" : ", ") text
}

function content(row, host)
{
    if (!((row, host) in tried))
        return "-"
    if (cell[row, host] ~ /^-(, -)*$/)
        return "-"
    return cell[row, host] == "" ? "none" : cell[row, host]
}

# of the hosts themselves, or of the mechanisms
function printTable(ofHosts,    head, i, j, line, part, text)
{
    head = ofHosts ? "| |" : "| mechanism | |"
    line = ofHosts ? "|---|" : "|---|---|"
    for (i = 1; i <= columns; ++i) {
        head = head " " title[hosts[i]] " |"
        line = line "---|"
    }
    print head
    print line
    for (j = 1; j <= count; ++j) {
        split(rows[j], part, FS)
        if ((part[1] == "host") != ofHosts)
            continue
        text = ofHosts ? "| " part[2] " |" : "| `" part[1] "` | " part[2] " |"
        for (i = 1; i <= columns; ++i)
            text = text " " content(rows[j], hosts[i]) " |"
        print text
    }
}

# SPDX-License-Identifier: MIT
# table.awk HOST.tsv...: what pk-host-probe printed on each host, as Markdown: a column for each host.
BEGIN {
    FS = "\t"
    title["root"] = "root, hybrid"
    title["user"] = "user, no cgroup"
    title["pid1"] = "pid 1"
    title["cgroup2"] = "root, cgroup v2"
    title["unit"] = "user, unit"
    title["session"] = "user, login session"
}

FNR == 1 {
    host = FILENAME
    sub(/.*\//, "", host)
    sub(/\.tsv$/, "", host)
    hosts[++columns] = host
}

NF >= 3 {
    row = $1 FS $2
    if (!(row in known)) {
        known[row] = 1
        rows[++count] = row
    }
    cell[row, host] = cellText($1, $2, $3, $4)
}

END {
    printTable("host", "| the host |")
    print ""
    printTable("", "| mechanism | tried |")
}

function cellText(subject, tried, result, remark)
{
    if (tried == "cgroup")
        return "`" result "`: " (remark == "" ? "no controller" : remark)
    if (result == "yes" && tried ~ /^limit/)
        return "yes: " remark
    return result
}

# the rows about the hosts, or about the mechanisms
function printTable(about, head,    i, j, text, part, line)
{
    line = about == "host" ? "|---|" : "|---|---|"
    for (i = 1; i <= columns; ++i) {
        head = head " " title[hosts[i]] " |"
        line = line "---|"
    }
    print head
    print line
    for (j = 1; j <= count; ++j) {
        split(rows[j], part, FS)
        if ((part[1] == "host") != (about == "host"))
            continue
        text = about == "host" ? "| " part[2] " |" : "| `" part[1] "` | " part[2] " |"
        for (i = 1; i <= columns; ++i)
            text = text " " ((rows[j], hosts[i]) in cell ? cell[rows[j], hosts[i]] : "-") " |"
        print text
    }
}

// SPDX-License-Identifier: MIT
#include "snippets.h"

#include <signal.h>

// The C++ of doc/pipelines.md

void Snippets::pipeline()
{
    if (!enterRepository())
        QSKIP("there is no git");
    //! [pipeline]
    const Pipeline authors =
            Command("git", { "log", "--format=%an" }) | Command("sort") | Command("uniq", { "-c" });
    const Expected<QString> text = authors.run().result();
    //! [pipeline]
    QCOMPARE(text.valueOr("none").trimmed(), "1 Ada");
}

void Snippets::pipelineEnds()
{
    const QString output = temporaryPath("sorted");
    //! [pipelineEnds]
    const Pipeline sort = Command("sort").withInput("b\na\nb\n")
            | Command("uniq").withStandardOutput(OutputDestination::file(output));
    const bool isSorted = sort.output().result().isSuccess();
    //! [pipelineEnds]
    QVERIFY(isSorted);
    QCOMPARE(readFile(output), "a\nb\n");
}

void Snippets::blame()
{
    //! [blame]
    const ProcessResult result =
            (Command("sh", { "-c", "echo no such table >&2; exit 3" }) | Command("sort"))
                    .output()
                    .result();
    if (!result.isSuccess()) // program() is sh, exitCode() is 3
        qInfo() << result.program() << "failed:" << result.standardError();
    //! [blame]
    QCOMPARE(result.program(), "sh");
    QCOMPARE(result.exitCode(), 3);
    QCOMPARE(result.standardError(), "no such table\n");
}

void Snippets::unchecked()
{
    const Command endless("yes");
    //! [unchecked]
    const Pipeline first = endless.withUncheckedInPipe() | Command("head", { "-n", "1" });
    const Expected<QString> line = first.run().result();
    //! [unchecked]
    QCOMPARE(line.valueOr("none"), "y");
    const Pipeline checked = endless | Command("head", { "-n", "1" });
    QCOMPARE(checked.output().result().signal(), SIGPIPE);
}

void Snippets::pipelineTimeout()
{
    const Command slow = shell("echo part; sleep 1000");
    //! [pipelineTimeout]
    const ProcessResult result = (slow | Command("cat")).withTimeout(500ms).output().result();
    //! [pipelineTimeout]
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QCOMPARE(result.standardOutput(), "part\n");
}

void Snippets::stages()
{
    const QStringList filters = { "s/a/b/", "s/b/c/" };
    //! [stages]
    Pipeline pipeline({ Command("echo", { "a" }) });
    for (const QString &filter : filters)
        pipeline = pipeline | Command("sed", { filter });
    //! [stages]
    QCOMPARE(pipeline.stages().size(), 3);
    QCOMPARE(pipeline.run().result().valueOr("none"), "c");
}

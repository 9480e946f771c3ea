// SPDX-License-Identifier: MIT
#ifndef SNIPPETS_H
#define SNIPPETS_H

#include "cleantest.h"

#include <ProcessKit/Batch>
#include <ProcessKit/CliClient>
#include <ProcessKit/Command>
#include <ProcessKit/ContainedProcess>
#include <ProcessKit/Pipeline>
#include <ProcessKit/ProcessGroup>

#include <QtCore/qbuffer.h>
#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qfuture.h>
#include <QtCore/qfuturewatcher.h>
#include <QtCore/qjsonobject.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qthread.h>

using namespace ProcessKit;
using namespace std::chrono_literals;

// Each case runs a piece of a guide, which stands between two marks, and looks at what it did.
class Snippets : public PkTest::CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    // doc/running-commands.md
    void git();
    void builders();
    void result();
    void expected();
    void successCodes();
    void probe();
    void firstLine();
    void parse();
    void json();
    void which();
    void environment();
    void settings();
    void context();
    void chain();
    void retries();
    void batch();
    void groupRunner();
    void client();
    void filledIn();
    void otherRunner();
    void live();
    // doc/output-and-input.md
    void streams();
    void encoding();
    void merged();
    void policy();
    void policyFails();
    void lineHandler();
    void lineHandlerHere();
    void tee();
    void textTee();
    void redaction();
    void escapes();
    void destinations();
    void input();
    void generator();
    void deviceInput();
    void dialogue();
    // doc/timeouts-and-cancellation.md
    void timeout();
    void timeoutGrace();
    void inactivity();
    void cancelFuture();
    void canceledHandler();
    void stopToken();
    void leftovers();
    // doc/pipelines.md
    void pipeline();
    void pipelineEnds();
    void blame();
    void unchecked();
    void pipelineTimeout();
    void stages();
    // doc/cookbook.md
    void oneLine();
    void isInstalled();
    void button();
    void progress();
    void keepLog();
    void fileToFile();
    void shellScript();
    void secret();
    void lastLines();
    void listOfValues();
    void manyFiles();
    void flaky();
    void background();
    void waitForServer();
    void showCommand();
    void cleanEnvironment();
    void outlive();

private:
    // makes a repository with one commit the current directory; false when there is no git
    bool enterRepository();
    QString writeFile(const QString &name, const QByteArray &content) const;
    static QByteArray readFile(const QString &name);
};

// The text is run by a shell.
Command shell(const QString &script);

#endif // SNIPPETS_H

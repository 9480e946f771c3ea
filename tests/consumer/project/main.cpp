// SPDX-License-Identifier: MIT
#include <ProcessKit/ContainedProcess>
#include <ProcessKit/Containment>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qmetaobject.h>
#include <QtCore/qtextstream.h>

using namespace ProcessKit;

// Starts a contained child and prints what it said, what held it, and which keeper guards it.
int main(int argc, char *argv[])
{
    QCoreApplication application(argc, argv);
    QTextStream out(stdout);

    ContainedProcess child;
    QObject::connect(&child, &ContainedProcess::standardOutputLine, &application,
                     [&out](const QString &line) { out << "line: " << line << Qt::endl; });
    QObject::connect(&child, &ContainedProcess::errorOccurred, &application,
                     [] { QCoreApplication::exit(1); });
    QObject::connect(&child, &ContainedProcess::finished, &application, [&](int exitCode) {
        out << "mechanism: " << QMetaEnum::fromType<Mechanism>().valueToKey(int(child.mechanism()))
            << Qt::endl;
        out << "keeper: " << Containment::query().keeperPath() << Qt::endl;
        QCoreApplication::exit(exitCode);
    });
    child.start("/bin/echo", { "hello from a child" });
    return QCoreApplication::exec();
}

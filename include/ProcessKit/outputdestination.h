// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_OUTPUTDESTINATION_H
#define PROCESSKIT_OUTPUTDESTINATION_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qobjectdefs.h>
#include <QtCore/qstring.h>

namespace ProcessKit {

class PROCESSKIT_EXPORT OutputDestination
{
    Q_GADGET
    Q_PROPERTY(Kind kind READ kind CONSTANT)
    Q_PROPERTY(QString fileName READ fileName CONSTANT)

public:
    enum class Kind {
        Pipe = 0,
        Null = 1,
        Inherited = 2,
        File = 3,
        AppendedFile = 4,
    };
    Q_ENUM(Kind)

    OutputDestination() = default;
    static OutputDestination pipe() { return {}; }
    static OutputDestination null() { return { Kind::Null, {} }; }
    static OutputDestination inherited() { return { Kind::Inherited, {} }; }
    static OutputDestination file(const QString &fileName) { return { Kind::File, fileName }; }
    static OutputDestination appendedFile(const QString &fileName)
    {
        return { Kind::AppendedFile, fileName };
    }

    Kind kind() const noexcept { return m_kind; }
    QString fileName() const { return m_fileName; }

    friend bool operator==(const OutputDestination &, const OutputDestination &) = default;

private:
    OutputDestination(Kind kind, const QString &fileName) : m_kind(kind), m_fileName(fileName) { }

    Kind m_kind = Kind::Pipe;
    QString m_fileName;
};

} // namespace ProcessKit

#endif // PROCESSKIT_OUTPUTDESTINATION_H

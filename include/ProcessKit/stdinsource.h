// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_STDINSOURCE_H
#define PROCESSKIT_STDINSOURCE_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qshareddata.h>
#include <QtCore/qstringlist.h>

#include <functional>
#include <memory>

QT_BEGIN_NAMESPACE
class QIODevice;
QT_END_NAMESPACE

namespace ProcessKit {

class StdinSourceData;

class PROCESSKIT_EXPORT StdinSource
{
public:
    enum class Kind {
        Nothing = 0,
        Bytes = 1,
        File = 2,
        Generator = 3,
        Inherited = 4,
        KeptOpen = 5,
    };
    using Generator = std::function<QByteArray()>;

    StdinSource();
    StdinSource(const StdinSource &other);
    StdinSource(StdinSource &&other) noexcept;
    StdinSource &operator=(const StdinSource &other);
    StdinSource &operator=(StdinSource &&other) noexcept;
    ~StdinSource();

    static StdinSource nothing();
    static StdinSource text(const QString &text);
    static StdinSource bytes(const QByteArray &bytes);
    static StdinSource lines(const QStringList &lines);
    static StdinSource file(const QString &fileName);
    static StdinSource device(QIODevice *device);
    static StdinSource device(std::unique_ptr<QIODevice> device);
    static StdinSource generator(Generator generator);
    static StdinSource inherited();
    static StdinSource keptOpen();

    Kind kind() const noexcept;
    bool isOneShot() const noexcept;

private:
    friend class CommandLaunch;
    explicit StdinSource(StdinSourceData *data);
    QExplicitlySharedDataPointer<StdinSourceData> d;
};

} // namespace ProcessKit

#endif // PROCESSKIT_STDINSOURCE_H

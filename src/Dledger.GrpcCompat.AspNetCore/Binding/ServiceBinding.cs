using System.Reflection;
using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Binding;

/// <summary>Finds and calls the generated method that lists what a service offers.</summary>
internal static class ServiceBinding
{
    /// <summary>
    /// A type that does not come from a generated service throws <see cref="InvalidOperationException"/>.
    /// </summary>
    public static void Bind(Type serviceType, ServiceBinderBase binder)
    {
        var (attribute, generated) = FindAttribute(serviceType);
        var bind = attribute.BindType.GetMethod(
            attribute.BindMethodName,
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static,
            [typeof(ServiceBinderBase), generated])
            ?? throw new InvalidOperationException(
                $"{attribute.BindType} has no static method "
                + $"{attribute.BindMethodName}(ServiceBinderBase, {generated.Name}).");
        bind.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [binder, null], null);
    }

    private static (BindServiceMethodAttribute Attribute, Type Generated) FindAttribute(Type serviceType)
    {
        for (var type = serviceType; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute)
            {
                return (attribute, type);
            }
        }

        throw new InvalidOperationException(
            $"{serviceType} is no gRPC service: none of its base classes was made by the gRPC generator.");
    }
}

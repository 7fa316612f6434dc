using Dledger.Broker.Naming;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Calls;

/// <summary>Turns resources of the wire (namespace and name) into the names that the broker knows, and back.</summary>
/// <remarks>
/// With a namespace the broker's name is <c>namespace%name</c>; the prefixes of dead letter and retry topics stay in
/// front, so <c>%DLQ%group</c> of namespace <c>a</c> is <c>%DLQ%a%group</c>, the dead letter topic of group
/// <c>a%group</c>. A client without namespaces may use the long form itself: namespaces keep names apart, they do not
/// protect them.
/// </remarks>
internal static class ResourceNames
{
    private const char Separator = '%';

    /// <summary>The broker's name of a resource. The namespace of the call's metadata counts when the resource has
    /// none, because some clients fill it only there.</summary>
    public static string Of(Wire.Resource? resource, ClientCall call) =>
        Of(resource, call.Namespace);

    /// <summary>The same with the namespace of a client that does not call now.</summary>
    public static string Of(Wire.Resource? resource, string clientNamespace) => resource is null
        ? ""
        : Join(string.IsNullOrEmpty(resource.ResourceNamespace) ? clientNamespace : resource.ResourceNamespace, resource.Name);

    /// <summary>The namespace that counts for this resource; may be empty.</summary>
    public static string NamespaceOf(Wire.Resource? resource, ClientCall call) =>
        string.IsNullOrEmpty(resource?.ResourceNamespace) ? call.Namespace : resource.ResourceNamespace;

    /// <summary>The name that a client of this namespace uses for a broker's name.</summary>
    public static string WithoutNamespace(string name, string resourceNamespace)
    {
        if (resourceNamespace.Length == 0)
        {
            return name;
        }

        var prefix = SystemPrefix(name);
        var rest = name.AsSpan(prefix.Length);
        return rest.StartsWith(resourceNamespace, StringComparison.Ordinal)
            && rest.Length > resourceNamespace.Length
            && rest[resourceNamespace.Length] == Separator
                ? string.Concat(prefix, rest[(resourceNamespace.Length + 1)..])
                : name;
    }

    private static string Join(string resourceNamespace, string name)
    {
        if (resourceNamespace.Length == 0 || name.Length == 0)
        {
            return name;
        }

        var prefix = SystemPrefix(name);
        return $"{prefix}{resourceNamespace}{Separator}{name.AsSpan(prefix.Length)}";
    }

    private static string SystemPrefix(string name) =>
        name.StartsWith(Names.DeadLetterPrefix, StringComparison.Ordinal) ? Names.DeadLetterPrefix
        : name.StartsWith(Names.RetryPrefix, StringComparison.Ordinal) ? Names.RetryPrefix
        : "";
}

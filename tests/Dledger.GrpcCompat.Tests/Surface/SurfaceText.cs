using System.Reflection;

namespace Dledger.GrpcCompat.Tests.Surface;

/// <summary>Writes the public and protected members of an assembly as sorted lines of text.</summary>
internal static class SurfaceText
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> Describe(Assembly assembly)
    {
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            yield return $"{Kind(type)} {Name(type)}{Parents(type)}";
            foreach (var member in Members(type).Order(StringComparer.Ordinal))
            {
                yield return $"    {member}";
            }
        }
    }

    private static string Kind(Type type)
    {
        return type switch
        {
            { IsEnum: true } => "enum",
            { IsValueType: true } => "struct",
            { IsInterface: true } => "interface",
            _ when type.IsSubclassOf(typeof(Delegate)) => "delegate",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            { IsSealed: true } => "sealed class",
            _ => "class",
        };
    }

    private static string Parents(Type type)
    {
        if (type.IsSubclassOf(typeof(Delegate)))
        {
            return "";
        }

        var parents = new List<Type>();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && !type.IsEnum)
        {
            parents.Add(parent);
        }

        parents.AddRange(
            type.GetInterfaces().Where(_ => !type.IsEnum).OrderBy(one => one.FullName, StringComparer.Ordinal));
        return parents.Count == 0 ? "" : $" : {string.Join(", ", parents.Select(Name))}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt32(Enum.Parse(type, name))}");
        }

        if (type.IsSubclassOf(typeof(Delegate)))
        {
            return [Text(type.GetMethod("Invoke")!).Replace("virtual ", "", StringComparison.Ordinal)];
        }

        return type.GetConstructors(Declared).Where(IsVisible).Select(one => $"{Access(one)}new({Parameters(one)})")
            .Concat(type.GetFields(
                Declared).Where(field => field.IsPublic).Select(field => $"field {Name(field.FieldType)} {field.Name}"))
            .Concat(type.GetProperties(
                Declared).Where(property => property.GetAccessors(true).Any(IsVisible)).Select(Text))
            .Concat(type.GetMethods(Declared).Where(method => IsVisible(method) && !method.IsSpecialName).Select(Text));
    }

    private static string Text(PropertyInfo property)
    {
        var accessors = property.GetAccessors(nonPublic: true).Where(IsVisible)
            .Select(accessor => accessor.ReturnType == typeof(void) ? "set" : "get");
        var index = property.GetIndexParameters();
        var parameters = string.Join(", ", index.Select(one => Name(one.ParameterType)));
        var name = index.Length == 0 ? property.Name : $"{property.Name}[{parameters}]";
        var access = Access(property.GetAccessors(nonPublic: true).First(IsVisible));
        return $"{access}{Name(property.PropertyType)} {name} {{ {string.Join("; ", accessors)} }}";
    }

    private static string Text(MethodInfo method)
    {
        var generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";
        return $"{Access(method)}{Name(method.ReturnType)} {method.Name}{generic}({Parameters(method)})";
    }

    private static string Access(MethodBase method)
    {
        var access = method.IsFamily || method.IsFamilyOrAssembly ? "protected " : "";
        access += method.IsStatic ? "static " : "";
        access += method.IsAbstract && method.DeclaringType is { IsInterface: false } ? "abstract " : "";
        if (method is MethodInfo info && info.GetBaseDefinition() != info)
        {
            return access + "override ";
        }

        return method.IsVirtual && !method.IsAbstract && !method.IsFinal ? access + "virtual " : access;
    }

    private static string Parameters(MethodBase method)
    {
        return string.Join(
            ", ",
            method.GetParameters().Select(
                parameter => Name(parameter.ParameterType) + $" {parameter.Name}"
                    + (parameter.IsOptional ? " = default" : "")));
    }

    private static bool IsVisible(MethodBase method)
    {
        return method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;
    }

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (type.IsArray)
        {
            return $"{Name(type.GetElementType()!)}[]";
        }

        var name = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : $"{type.Namespace}.{type.Name}";
        var tick = name.LastIndexOf('`');
        return tick < 0 ? name : $"{name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
